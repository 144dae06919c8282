"""The rule language: one YAML file becomes one checked rule, and every mistake becomes a sentence with line and column.

    text -> yaml_nodes -> yaml_text -> language -> measuring, conditions, say, cases -> rule
            where it       its data     its shape   what it means                        values only
            stands

It imports nothing of ours: what events, fields and facts there are is handed in as a `catalogue.Catalogue`.
"""
