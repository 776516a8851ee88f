#!/usr/bin/env python3
"""A second reader of recordings, written from docs/RECORDING-FORMAT.md alone: prints a folder's records as JSON.

    read-recording.py FOLDER

Standard library only. It shares no code with the bot: where it and the bot disagree, the document is not good enough.
"""
import json
import os
import re
import struct
import sys
import zlib

MAGIC = b"\x89MVT\r\n\x1a\n"
TRACK, JOURNAL = 1, 2
LONGEST = 1_048_576


def read_file(path, kind):
    """Records of a file up to the torn tail, and where that begins; None where the file is none of ours."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 12 or data[:8] != MAGIC or struct.unpack_from("<HH", data, 8) != (1, kind):
        return None
    records = []
    at = 12
    while len(data) - at >= 9:
        length, checksum, record_type = struct.unpack_from("<IIB", data, at)
        end = at + 9 + length
        if length > LONGEST or end > len(data) or zlib.crc32(data[at + 8 : end]) != checksum:
            break
        records.append((record_type, data[at + 9 : end]))
        at = end
    return {"records": records, "validBytes": at, "tornBytes": len(data) - at}


def header(payload):
    return {"type": "header", **json.loads(payload)}


def epoch(payload):
    monotonic, wall = struct.unpack_from("<dd", payload)
    return {"type": "epoch", "monotonicMs": monotonic, "wallMs": wall, "bootId": payload[16:].decode("ascii")}


def packet(payload):
    arrival, timestamp, ssrc, sequence, flags, level = struct.unpack_from("<dIIHBB", payload)
    return {
        "type": "packet",
        "arrivalMs": arrival,
        "timestamp": timestamp,
        "ssrc": ssrc,
        "sequence": sequence,
        "marker": flags & 1 != 0,
        "levelDbov": -level if flags & 2 else None,
        "payload": payload[20:].hex(),
    }


def sender_clock(payload):
    arrival, ntp, ssrc, timestamp = struct.unpack_from("<ddII", payload)
    return {"type": "senderClock", "arrivalMs": arrival, "ntpMs": ntp, "ssrc": ssrc, "timestamp": timestamp}


def gap(payload):
    start, end, packets, reason = struct.unpack_from("<ddIB", payload)
    reasons = ["slow_disk"]
    return {"type": "gap", "fromMs": start, "toMs": end, "packets": packets, "reason": reasons[reason]}


def end(payload):
    return {"type": "end", "monotonicMs": struct.unpack_from("<d", payload)[0]}


def path(payload):
    at, ssrc, round_trip = struct.unpack_from("<dIf", payload)
    return {"type": "path", "atMs": at, "ssrc": ssrc, "roundTripMs": round_trip}


TRACK_RECORDS = {1: header, 2: epoch, 3: packet, 4: sender_clock, 5: gap, 6: end, 7: path}


def read_track(file_path):
    read = read_file(file_path, TRACK)
    if read is None:
        return None
    read["records"] = [TRACK_RECORDS[kind](payload) for kind, payload in read["records"] if kind in TRACK_RECORDS]
    return read


def read_journal(file_path):
    read = read_file(file_path, JOURNAL)
    if read is None:
        return None
    read["records"] = [json.loads(payload) for kind, payload in read["records"] if kind == 1]
    return read


def read_recording(folder):
    files = {}
    for name in sorted(os.listdir(folder)):
        file_path = os.path.join(folder, name)
        if name == "journal.mvt":
            files[name] = read_journal(file_path)
        elif re.fullmatch(r"(voice|music)-\d+\.mvt", name):
            files[name] = read_track(file_path)
    return files


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: read-recording.py FOLDER")
    json.dump(read_recording(sys.argv[1]), sys.stdout, indent=1, ensure_ascii=False)
    print()
