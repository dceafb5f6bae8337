"""redis-py in a loop: one process, one connection. Its first argument is JSON; it prints a JSON line.

{"mode": "versions"} answers {"versions": text}; "publish", "pipeline" and "listen", with "port", "seconds" and the
"text" of a message, answer {"count": messages, "seconds": time they took}.
"""

import json
import platform
import sys
from time import perf_counter

import redis

CHANNEL = "bench"
PIPELINE = 500
# What waits for the reader stays far below the buffer that Redis grants a subscriber.
WAITING = 20 * PIPELINE
WARM_UP_SECONDS = 0.7


def versions():
    try:
        import hiredis

        parser = f"hiredis {hiredis.__version__}"
    except ImportError:
        parser = "no hiredis"
    return f"redis-py {redis.__version__} (Python {platform.python_version()}, {parser})"


def connect(port):
    # without a pool, which costs a system call for each command
    return redis.Redis(host="127.0.0.1", port=port, single_connection_client=True)


def publish_one(client, text):
    client.publish(CHANNEL, text)
    return 1


def publish_pipeline(client, text):
    pipeline = client.pipeline(transaction=False)
    for _ in range(PIPELINE):
        pipeline.publish(CHANNEL, text)
    return len(pipeline.execute())


def repeat(step, seconds):
    """Repeats until the time is over; the number of messages, and the time they took."""
    count = 0
    start = perf_counter()
    while perf_counter() - start < seconds:
        count += step()
    return count, perf_counter() - start


def measure_publish(publish, port, seconds, text):
    client = connect(port)
    repeat(lambda: publish(client, text), WARM_UP_SECONDS)
    return repeat(lambda: publish(client, text), seconds)


def measure_listen(port, seconds, text):
    """Only the reading is timed: of messages that wait already, so that no publisher holds it up."""
    publisher, subscriber = connect(port), connect(port).pubsub(ignore_subscribe_messages=False)
    subscriber.subscribe(CHANNEL)
    messages = subscriber.listen()
    next(messages)

    def read(seconds):
        count, taken = 0, 0.0
        while taken < seconds:
            for _ in range(WAITING // PIPELINE):
                publish_pipeline(publisher, text)
            start = perf_counter()
            for _ in range(WAITING):
                next(messages)
            taken += perf_counter() - start
            count += WAITING
        return count, taken

    read(WARM_UP_SECONDS)
    return read(seconds)


def main(mode, **plan):
    if mode == "versions":
        return {"versions": versions()}
    if mode == "listen":
        count, seconds = measure_listen(**plan)
    else:
        step = {"publish": publish_one, "pipeline": publish_pipeline}[mode]
        count, seconds = measure_publish(step, **plan)
    return {"count": count, "seconds": seconds}


print(json.dumps(main(**json.loads(sys.argv[1]))))
