"""Which facts of a record are the school's and which the student's own."""

SCHOOL_OWNED: frozenset[str] = frozenset(
    {
        "given_name",
        "family_name",
        "email",
        "nationality",
        "birth_date",
        "programme_type",
        "pays_tuition_to_junia",
        "grant",
        "campus",
        "school",
        "semester",
        "programme_start",
        "programme_end",
        "enrolment_date",
        "results_date",
    }
)
"""A student asks for a correction of these; a colleague decides. Every other fact the student changes alone."""
