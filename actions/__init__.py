"""Rasa's custom actions: edges only, one file per skill. They read; the gateway writes."""
