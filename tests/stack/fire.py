"""Fires the stack's schedule of 18:00 now: runs its target with its own input, as EventBridge Scheduler
would at the time given. Prints what the function answers."""

import json
import sys

import boto3

ENDPOINT, NOW = sys.argv[1:]


def client(name):
    return boto3.client(name, endpoint_url=ENDPOINT)


scheduler = client("scheduler")
found = scheduler.list_schedules()["Schedules"]
schedules = [scheduler.get_schedule(Name=it["Name"], GroupName=it["GroupName"]) for it in found]
[schedule] = [it for it in schedules if it["ScheduleExpression"] == "cron(0 18 * * ? *)"]
print(schedule["ScheduleExpression"])
target = schedule["Target"]
answer = client("lambda").invoke(
    FunctionName=target["Arn"],
    Payload=target["Input"].replace("<aws.scheduler.scheduled-time>", NOW),
)
print(json.dumps(json.load(answer["Payload"])))
