"""Invokes a function of the stack by its name in the template, as an operator does. Prints what it answers."""

import json
import sys

import boto3

ENDPOINT, STACK, FUNCTION, EVENT = sys.argv[1:]


def client(name):
    return boto3.client(name, endpoint_url=ENDPOINT)


pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
names = {it["LogicalResourceId"]: it["PhysicalResourceId"] for page in pages for it in page["StackResourceSummaries"]}
answer = client("lambda").invoke(FunctionName=names[FUNCTION], Payload=EVENT)
print(json.dumps(json.load(answer["Payload"])))
