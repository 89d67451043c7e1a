"""One's own accelerator, described in a file, is sized and trained on like a shipped one."""

import jevons


def test_a_card_with_more_memory_is_taken_from_a_file_by_size_and_train(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("like: rtx_4090\nname: RTX 4090 48 GB\nmemory: 48 GiB\nprice: 25000 CNY\n")
    sized = jevons.size("llama-3.1-8b", hardware=file, static=True)
    assert sized.accelerator.name == "RTX 4090 48 GB"
    assert sized.accelerator.hbm_bytes == 48 * 2**30
    run = jevons.train("llama-3.2-1b", hardware=file, gpus=8, tokens="1B")
    assert "of 51.5 GB per accelerator" in run.answer
