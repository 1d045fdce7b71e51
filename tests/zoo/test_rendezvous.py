import concurrent.futures
import socket

import pytest

from keras_gans.zoo.runs.rendezvous import wait_for_workers


def addresses(number):
    """Of ports that nobody listens on."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    for probe in probes:
        probe.close()
    return found


def rendezvous(clusters, **kwargs):
    """What each worker returns or raises, given its own description of the cluster."""

    def one(index):
        try:
            return wait_for_workers(clusters[index], "worker", index, **kwargs)
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(len(clusters)) as pool:
        return list(pool.map(one, range(len(clusters))))


def test_all_workers_find_each_other_and_leave_their_ports_free():
    cluster = {"worker": addresses(3)}
    assert rendezvous([cluster] * 3, seconds=60) == [None] * 3
    for address in cluster["worker"]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(address.split(":")[1])))


def test_a_chief_counts_too():
    chief, worker = addresses(2)
    cluster = {"chief": [chief], "worker": [worker]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(wait_for_workers, cluster, job, 0, 60) for job in cluster]
        assert [future.result() for future in waiting] == [None, None]


@pytest.mark.parametrize("longer", [0, 1])
def test_unequal_clusters_are_named_on_both_sides(longer):
    clusters = [{"worker": ports} for ports in [addresses(3)] * 2]
    clusters[1 - longer] = {"worker": clusters[longer]["worker"][:2]}
    for error in rendezvous(clusters, seconds=60):
        assert isinstance(error, ValueError)
        assert "different clusters" in str(error) and str(clusters[longer]) in str(error)


def test_one_that_does_not_come_is_named():
    here, absent = addresses(2)
    with pytest.raises(TimeoutError, match=f"Not all workers.*0.5 seconds from.*{absent}"):
        wait_for_workers({"worker": [here, absent]}, "worker", 0, seconds=0.5)


def test_a_request_of_another_program_is_ignored():
    first, second = addresses(2)
    cluster = {"worker": [first, second]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(wait_for_workers, cluster, "worker", 0, 60)
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", int(first.split(":")[1]))) as peer:
                    peer.sendall(b"GET / HTTP/1.1\\r\\n")
                break
            except OSError:
                continue
        assert wait_for_workers(cluster, "worker", 1, 60) is None
        assert waiting.result() is None
