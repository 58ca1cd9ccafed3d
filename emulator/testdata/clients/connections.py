"""Drives @connections with boto3 and checks that each error is of its type.

usage: connections.py ENDPOINT CONNECTION_ID [verified|throttled]

ENDPOINT is http(s)://host:port/stage of a WebSocket API, CONNECTION_ID one of
its open connections, which this deletes at the end. "verified" says that the
emulator verifies signatures, "throttled" that its account throttle lets one
request through and no more.
"""

import datetime
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LIMIT = 128 * 1024  # bytes of a message
UNKNOWN = "Jx-TaE0_GjQFvSw="  # well formed, and nobody's


def connect(endpoint, **options):
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, config=once, **options)


def refused(kind, code, status, call, **arguments):
    """Checks that a call raises an exception of the type and with the code."""
    name = f"{call.__name__} {str(arguments)[:60]}"
    try:
        call(**arguments)
    except kind as err:
        got = err.response["Error"]["Code"], err.response["ResponseMetadata"]["HTTPStatusCode"]
        assert got == (code, status), f"{name}: got {got}, want {(code, status)}"
        return err
    raise AssertionError(f"{name}: got no error, want {code}")


def answers(client, connection):
    """The calls that succeed; two of them send a message to the client."""
    for data in ["zwölf 12".encode(), b"x" * LIMIT]:
        answer = client.post_to_connection(ConnectionId=connection, Data=data)
        assert len(answer["ResponseMetadata"]["RequestId"]) == 36, answer
    info = client.get_connection(ConnectionId=connection)
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    assert now - day < info["ConnectedAt"] <= info["LastActiveAt"] < now + day, info
    assert info["Identity"]["SourceIp"] == "127.0.0.1", info


def errors(client, endpoint, connection):
    of = client.exceptions
    for call in [client.post_to_connection, client.get_connection, client.delete_connection]:
        data = {"Data": b"x"} if call == client.post_to_connection else {}
        refused(of.GoneException, "GoneException", 410, call, ConnectionId=UNKNOWN, **data)
        # The model lacks this one, so it is told by its code alone.
        refused(ClientError, "BadRequestException", 400, call, ConnectionId="a b/c=%", **data)
    post = client.post_to_connection
    refused(of.PayloadTooLargeException, "PayloadTooLargeException", 413, post, ConnectionId=connection, Data=b"x" * (LIMIT + 1))
    other = connect(endpoint.rsplit("/", 1)[0] + "/otherstage")
    refused(other.exceptions.ForbiddenException, "ForbiddenException", 403, other.get_connection, ConnectionId=connection)


def signatures(endpoint, connection):
    wrong = connect(endpoint, aws_secret_access_key="wrong", aws_access_key_id="me")
    err = refused(ClientError, "InvalidSignatureException", 403, wrong.get_connection, ConnectionId=connection)
    assert "The request signature we calculated does not match" in str(err), err
    unknown = connect(endpoint, aws_secret_access_key="mine", aws_access_key_id="nobody")
    refused(ClientError, "UnrecognizedClientException", 403, unknown.get_connection, ConnectionId=connection)


def main(endpoint, connection, mode=""):
    client = connect(endpoint)
    if mode == "throttled":
        client.post_to_connection(ConnectionId=connection, Data=b"x")
        limit = client.exceptions.LimitExceededException
        refused(limit, "LimitExceededException", 429, client.post_to_connection, ConnectionId=connection, Data=b"x")
        return
    answers(client, connection)
    errors(client, endpoint, connection)
    if mode == "verified":
        signatures(endpoint, connection)
    client.delete_connection(ConnectionId=connection)
    gone = client.exceptions.GoneException
    refused(gone, "GoneException", 410, client.post_to_connection, ConnectionId=connection, Data=b"x")


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("connections: all as expected")
