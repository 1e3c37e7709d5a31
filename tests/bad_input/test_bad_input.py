# Copyright 2026 The Gato for transformers authors.
# Licensed under the Apache License, Version 2.0; see the LICENSE file at the root of the repository.
"""Bad input to every public function, with the error it gives. The cases are lists in the modules beside this one."""

import hub_cases
import modeling_cases
import pytest
import tokenization_cases

CASES = [*modeling_cases.BAD_INPUT_CASES, *tokenization_cases.BAD_INPUT_CASES, *hub_cases.BAD_INPUT_CASES]


def test_every_case_has_a_name_of_its_own():
    assert len({name for name, *_ in CASES}) == len(CASES)


@pytest.mark.parametrize(("call", "error", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_bad_input_gives_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
