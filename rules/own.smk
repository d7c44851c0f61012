# A user's own models that name profiles make a paper, whose rule this is; without one, what is missing is said.
if "own" not in catalog.config["papers"]:

    rule own:
        input:
            no_own_models,
        message:
            "Evaluate your own models on the profiles that they name."
