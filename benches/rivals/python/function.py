"""One GetItem by boto3, behind Lambda's Runtime API: as little as a function in Python can be."""
import http.client
import json
import os

import boto3

dynamo = boto3.client("dynamodb", region_name=os.environ["AWS_REGION"])
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    runtime.request(method, f"/2018-06-01/runtime/{path}", body)
    response = runtime.getresponse()
    return response.headers, response.read()


def handle(event):
    item = dynamo.get_item(
        TableName=os.environ["RECORDS_TABLE"],
        Key={"pk": {"S": os.environ["PARTITION"]}, "sk": {"S": os.environ["SORT"]}},
        ConsistentRead=True,
    ).get("Item")
    content = item and item.get("content", {}).get("S")
    return {"statusCode": 200 if item else 404, "body": json.dumps({"content": content, "path": event["rawPath"]})}


while True:
    headers, event = call("GET", "invocation/next")
    answer = json.dumps(handle(json.loads(event)))
    call("POST", f"invocation/{headers['lambda-runtime-aws-request-id']}/response", answer)
