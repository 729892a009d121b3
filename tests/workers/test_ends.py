"""How a worker ended, and what that says of the file that it held."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from graticule.workers.ends import children_shielded_from_ctrl_c


@pytest.mark.skipif(sys.platform == "win32", reason="Windows blocks no signals")
def test_processes_that_are_shielded_come_up_without_ctrl_c() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    context = multiprocessing.get_context("spawn")
    with children_shielded_from_ctrl_c():
        pool = ProcessPoolExecutor(1, mp_context=context)
        blocked = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, [])
    assert signal.SIGINT in blocked.result()
    pool.shutdown()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
