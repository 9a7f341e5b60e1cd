"""What the emulator leaves out of a deployed stack: it takes an HTTP API and not the routes in its
OpenAPI body. They are made from the template that it has transformed itself. Prints the API's URL."""

import json
import re
import sys

import boto3

ENDPOINT, STACK = sys.argv[1:]


def client(name):
    return boto3.client(name, endpoint_url=ENDPOINT)


stacks, api, functions = client("cloudformation"), client("apigatewayv2"), client("lambda")
pages = stacks.get_paginator("list_stack_resources").paginate(StackName=STACK)
ids = {it["LogicalResourceId"]: it["PhysicalResourceId"] for page in pages for it in page["StackResourceSummaries"]}
template = stacks.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
template = json.loads(template) if isinstance(template, str) else template

for path, methods in template["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
    for method, operation in methods.items():
        integration = operation["x-amazon-apigateway-integration"]
        name = re.search(r"functions/\$\{(\w+)\.Arn\}/invocations", json.dumps(integration["uri"])).group(1)
        made = api.create_integration(
            ApiId=ids["Api"],
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=functions.get_function_configuration(FunctionName=ids[name])["FunctionArn"],
            PayloadFormatVersion=integration["payloadFormatVersion"],
        )
        target = "integrations/" + made["IntegrationId"]
        key = path if path == "$default" else f"{method.upper()} {path}"
        api.create_route(ApiId=ids["Api"], RouteKey=key, Target=target)

print(f"{ENDPOINT}/_aws/execute-api/{ids['Api']}")
