"""Which passages are shown with a question.

    plan        what a study writes under `retrieve`
    words       the words of a text, as they are compared here
    knowledge   passages from a file, and eval cases copied into them
    bm25        the built-in retriever
    own         a function of the study's own as retriever
    lookup      questions in, passages out, as an arm uses a retriever

Nothing here knows models, prompts or scores.
"""
