// One GetItem by AWS SDK v3, behind Lambda's Runtime API: as little as a function in Node.js can be.
import http from 'node:http';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

const dynamo = new DynamoDBClient({ region: process.env.AWS_REGION });
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${path}` }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve([response.headers, Buffer.concat(chunks).toString()]));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function handle(event) {
  const { Item } = await dynamo.send(new GetItemCommand({
    TableName: process.env.RECORDS_TABLE,
    Key: { pk: { S: process.env.PARTITION }, sk: { S: process.env.SORT } },
    ConsistentRead: true,
  }));
  return { statusCode: Item ? 200 : 404, body: JSON.stringify({ content: Item?.content?.S, path: event.rawPath }) };
}

for (;;) {
  const [headers, event] = await call('GET', 'invocation/next');
  const answer = JSON.stringify(await handle(JSON.parse(event)));
  await call('POST', `invocation/${headers['lambda-runtime-aws-request-id']}/response`, answer);
}
