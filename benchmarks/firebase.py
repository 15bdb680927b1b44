"""firebase-admin alone, for `compare.py`: python benchmarks/firebase.py URL MESSAGES < account.json"""

import json
import sys
import time

import firebase_admin
from firebase_admin import credentials, messaging

MOST = 500


def main() -> None:
    url, count = sys.argv[1], int(sys.argv[2])
    account = json.load(sys.stdin) | {"token_uri": f"{url}/token"}
    firebase_admin.initialize_app(credentials.Certificate(account))
    service = messaging._get_messaging_service(None)
    service._fcm_url = f"{url}/v1/projects/bench/messages:send"
    text = messaging.Notification(title="News", body="Breaking")
    began, accepted = time.perf_counter(), 0
    for start in range(0, count, MOST):
        lot = [
            messaging.Message(token=f"token:{n:012d}" + "x" * 130, notification=text)
            for n in range(start, min(start + MOST, count))
        ]
        accepted += messaging.send_each(lot).success_count
    took = time.perf_counter() - began
    assert accepted == count, f"{accepted} of {count} accepted"
    print(json.dumps({"per_second": count / took}))


if __name__ == "__main__":
    main()
