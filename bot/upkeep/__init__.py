"""Keep answers true: questions that were not understood, phrases learned from them, a new model beside the old."""
