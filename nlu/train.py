"""Check the training data, then train: `python -m nlu.train FOLDER NAME` writes FOLDER/NAME.tar.gz.

One process for both, because importing Rasa takes longer than either. Lines for people begin with "accueil: "
(progress) or "problem: " (what is wrong with the data); exit code 2 means that the data is wrong.
"""

import sys
import warnings

from nlu import without_tensorflow

without_tensorflow.install()

import rasa.model_training  # noqa: E402 - only importable once the line above has run
from rasa.shared.exceptions import RasaException  # noqa: E402
from rasa.shared.importers.importer import TrainingDataImporter  # noqa: E402
from rasa.validator import Validator  # noqa: E402

CONFIG, DOMAIN, DATA = "config.yml", "domain.yml", ["data/nlu", "data/rules"]
INVALID = 2


def problems() -> list[str]:
    """What `rasa data validate` objects to, warnings included."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            importer = TrainingDataImporter.load_from_config(CONFIG, DOMAIN, DATA)
            validator = Validator.from_importer(importer)
        except RasaException as error:
            return [str(error)]
        # Loading warns that `utter_ask` has no text: our topics are answered by an action, not by responses.
        caught.clear()
        checks = (
            validator.verify_domain_validity,
            lambda: validator.verify_nlu(ignore_warnings=False),
            validator.verify_actions_in_stories_rules,
            lambda: validator.verify_story_structure(ignore_warnings=False),
        )
        results = [check() for check in checks]
    found = [str(each.message).partition("\n")[0] for each in caught if issubclass(each.category, UserWarning)]
    return found or ([] if all(results) else ["domain.yml or data/rules does not fit the training data"])


def main() -> int:
    folder, name = sys.argv[1:]
    print("accueil: checking the phrases and rules", flush=True)
    if found := problems():
        for each in found:
            print(f"problem: {each}", flush=True)
        return INVALID
    result = rasa.model_training.train(DOMAIN, CONFIG, DATA, output=folder, fixed_model_name=name, force_training=True)
    return result.code


if __name__ == "__main__":
    sys.exit(main())
