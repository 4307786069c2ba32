"""What every Python client program shares: its arguments, its lines of JSON, and when it has to end."""
import argparse
import importlib.metadata
import json
import sys
import threading


def arguments():
    """The subcommand and its options, as every program in test/e2e/clients takes them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('command', choices=['version', 'produce', 'consume', 'group', 'admin', 'loop', 'unserved'])
    parser.add_argument('--bootstrap')
    parser.add_argument('--topic')
    parser.add_argument('--group')
    parser.add_argument('--read', help='the topic that the group of an admin run has read')
    parser.add_argument('--rack', default='', help='the zone of a member of a group')
    parser.add_argument('--codec', default='none')
    parser.add_argument('--count', type=int, default=0)
    parser.add_argument('--idempotent', choices=['true', 'false'], default='false')
    return parser.parse_args()


def emit(**fields):
    print(json.dumps(fields), flush=True)


def version_of(package):
    return importlib.metadata.version(package)


def input_ended():
    """An event that is set when standard input ends: the test asks the program to finish."""
    ended = threading.Event()

    def wait():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return ended


def record(number):
    """Record `number` of a produce run: partition, key, value and header."""
    return number % 2, b'key %d' % number, b'value %d' % number, b'header %d' % number


def text(value):
    return None if value is None else value.decode()
