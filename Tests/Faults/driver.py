"""Random faults over the real binary, real processes and real clients; after each the rules are checked."""

import argparse
import random
import sys
import time
import traceback

import backend_faults
import balancer_faults
import bounds_faults
import client_faults
import neighbour_faults
from world import World

FAULTS = [
    *backend_faults.FAULTS, *client_faults.FAULTS, *balancer_faults.FAULTS, *neighbour_faults.FAULTS,
    *bounds_faults.FAULTS]


def main():
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", help="one fault by its name, over and over")
    parser.add_argument("--list", action="store_true", help="the faults there are")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for fault in FAULTS:
            print(f"{fault.__name__}: {fault.__doc__}")
        return 0
    faults = [f for f in FAULTS if arguments.only in (None, f.__name__)]
    if not faults:
        parser.error(f"there is no fault {arguments.only}; --list shows them")
    return run(arguments, faults)


def run(arguments, faults):
    schedule = random.Random(arguments.seed)
    world, started, deck = World(arguments.seed), time.monotonic(), []
    try:
        for step in range(arguments.steps):
            # Each once before any comes again, so that a short run has them all.
            if not deck:
                deck = list(faults)
                schedule.shuffle(deck)
            fault = deck.pop()
            before = time.monotonic()
            try:
                world.mend()
                fault(world, schedule)
                for session in world.sessions:
                    session.visit()
                world.check()
            except BaseException:
                traceback.print_exc()
                print(world.balancer.log[-8000:], file=sys.stderr)
                print(f"faults: step {step}, {fault.__name__}; again with"
                      f" Scripts/faults --seed {arguments.seed} --steps {step + 1}", file=sys.stderr)
                return 1
            if arguments.verbose:
                print(f"{step:4} {fault.__name__} {time.monotonic() - before:.2f} s", flush=True)
    finally:
        world.close()
    print(f"{arguments.steps} faults with seed {arguments.seed} in {time.monotonic() - started:.0f} s:"
          " every rule held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
