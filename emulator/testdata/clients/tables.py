"""Uses a DynamoDB table with boto3 as an application does.

usage: tables.py ENDPOINT TABLE, of which the partition key is "id", a string
"""

import sys
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key


def main(endpoint, name):
    resource = boto3.resource("dynamodb", endpoint_url=endpoint)
    table = resource.Table(name)
    table.wait_until_exists()
    item = {
        "id": "a",
        "price": Decimal("90071992547409930.000000000000001"),  # more than a float holds
        "small": Decimal("1E-130"),
        "tags": {"x", "y"},
        "raw": b"\x00\xff",
        "deep": {"list": [Decimal(1), None, True, "é"]},
    }
    table.put_item(Item=item)
    got = table.get_item(Key={"id": "a"}, ConsistentRead=True)["Item"]
    got["raw"] = got["raw"].value
    assert got == item, f"got {got}, want {item}"

    refused = resource.meta.client.exceptions.ConditionalCheckFailedException
    try:
        table.put_item(Item={"id": "a"}, ConditionExpression=Attr("id").not_exists())
    except refused:
        pass
    else:
        raise AssertionError("put_item of an item that exists: got no error")

    answer = table.update_item(
        Key={"id": "a"},
        UpdateExpression="SET price = price + :more",
        ExpressionAttributeValues={":more": Decimal("0.000000000000001")},
        ReturnValues="UPDATED_NEW",
    )
    assert answer["Attributes"] == {"price": Decimal("90071992547409930.000000000000002")}, answer

    found = table.query(KeyConditionExpression=Key("id").eq("a"), FilterExpression=Attr("tags").contains("x"))
    assert [found["Count"], found["Items"][0]["small"]] == [1, item["small"]], found

    with table.batch_writer() as batch:
        for n in range(30):  # in two requests
            batch.put_item(Item={"id": f"n{n}", "n": n})
    pages = resource.meta.client.get_paginator("scan").paginate(
        TableName=name, FilterExpression=Attr("n").gte(0), PaginationConfig={"PageSize": 7}
    )
    assert sorted(int(item["n"]) for page in pages for item in page["Items"]) == list(range(30))

    table.update(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
    table.put_item(Item={"id": "s", "raw": b"\x00\xff"})
    table.delete_item(Key={"id": "s"})
    table.update(StreamSpecification={"StreamEnabled": False})
    table.reload()
    changes = [(r["eventName"], r["dynamodb"].get("NewImage")) for r in records(endpoint, table.latest_stream_arn)]
    image = {"id": {"S": "s"}, "raw": {"B": b"\x00\xff"}}
    assert changes == [("INSERT", image), ("REMOVE", None)], changes

    missing = resource.Table("Nowhere")
    try:
        missing.load()
    except resource.meta.client.exceptions.ResourceNotFoundException:
        pass
    else:
        raise AssertionError("load of no table: got no error")


def records(endpoint, arn):
    """Reads a closed stream to its end, one record at a time."""
    client = boto3.client("dynamodbstreams", endpoint_url=endpoint)
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator, Limit=1)
            yield from page["Records"]
            iterator = page.get("NextShardIterator")


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("tables: all as expected")
