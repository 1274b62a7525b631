"""Threads: as many as the work is worth and this process may use, asleep while they wait."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from benchmark import ROOT, methods
from benchmark.core import images, numerics
from benchmark.methods import assemble
from benchmark.photographs import enhance
from tests.helpers.pictures import photograph


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a way to fake a machine of 16 cores: path -> content of files below its root."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def fake(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return fake


V1 = "4:memory:/docker/a\n3:cpuset:/docker/a\n2:cpuacct,cpu:/docker/a\n0::/docker/a\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 16),  # no control groups at all
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 16),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "400000 100000\n"}, 4),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "9900000 100000\n"}, 16),
        (  # the strictest group above holds
            {
                "proc/self/cgroup": "0::/user/job\n",
                "sys/fs/cgroup/user/job/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/user/cpu.max": "300000 100000\n",
            },
            3,
        ),
        (  # a container that sees its group at the root of the hierarchy
            {"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"},
            2,
        ),
        (  # version 1, by a name of the hierarchy that says both controllers
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpuacct,cpu/docker/a/cpu.cfs_quota_us": "600000\n",
                "sys/fs/cgroup/cpuacct,cpu/docker/a/cpu.cfs_period_us": "100000\n",
            },
            6,
        ),
        (  # version 1 in a container, by the link `cpu`
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000\n",
            },
            3,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            16,
        ),
        (  # both versions at once
            {
                "proc/self/cgroup": "1:name=systemd:/a\n0::/a\n",
                "sys/fs/cgroup/unified/a/cpu.max": "500000 100000\n",
            },
            5,
        ),
    ],
)
def test_cores_are_those_that_the_control_groups_leave(machine, files, expected):
    assert numerics.cores(machine(files)) == expected


def test_cores_are_those_that_the_scheduler_lets_the_process_run_on(machine, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1, 5, 6}, raising=False)
    assert numerics.cores(machine({})) == 3


def test_cores_are_no_more_than_the_environment_asks_for(machine, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert numerics.cores(machine({})) == 2


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(64, 48, 1), (300, 200, 1), (600, 400, 4), (4000, 3000, 16)]
)
def test_little_work_has_few_threads_and_much_has_all(monkeypatch, width, height, expected):
    told = []
    monkeypatch.setattr(numerics, "cores", lambda: 16)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    before = torch.get_num_threads()
    with numerics.threads_for(width * height):
        assert told == [expected]
    assert told == [expected, before]


def test_enhance_chooses_its_threads_by_the_size_of_each_photograph(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(numerics, "cores", lambda: 3)
    monkeypatch.setattr(
        enhance,
        "enhance_image",
        lambda steps, pixels, *more, **options: seen.append(torch.get_num_threads()) or pixels,
    )
    for name, side in (("small", 48), ("large", 400)):
        images.write(tmp_path / f"{name}.png", np.zeros((side, side, 3), np.uint8))
        task = enhance.EnhanceTask(tmp_path / f"{name}.png", tmp_path / f"out/{name}.png", None)
        enhance.run(task, [], enhance.OutputOptions())
    assert seen == [1, 3]


def test_threads_sleep_while_they_wait_unless_the_user_says_otherwise():
    ask = "import os, benchmark; print(os.environ['OMP_WAIT_POLICY'])"
    others = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    for given, expected in (
        (others, "PASSIVE"),
        (others | {"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", ask], env=given, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def test_the_number_of_threads_moves_no_pixel_by_more_than_a_level():
    steps = assemble.assemble(methods.Chain.parse("mlsm"), "retrained", ROOT / "weights" / "lol")
    dark = (photograph(200, 300, 4) // 5).astype(np.uint8)
    results = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        results.append(methods.run(steps, dark).astype(int))
    torch.set_num_threads(before)
    assert np.abs(results[0] - results[1]).max() <= 1
