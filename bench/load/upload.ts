/**
 * Arguments: the base URL, the API key, a file. Uploads the file as a song, again and again, each time in place of the
 * one before. Sends its parent `'taken'` after each; a `stop` from it ends this process once the present upload is through.
 */
import { openAsBlob } from 'node:fs';

const [, , url, key = '', file = ''] = process.argv;
const blob = await openAsBlob(file);
let going = true;
process.once('message', () => {
  going = false;
});

while (going) {
  const form = new FormData();
  form.set('file', blob, 'long.mp3');
  const answer = await fetch(`${url}/song/upload?replace=true`, {
    method: 'POST',
    headers: { 'x-api-key': key },
    body: form,
  });
  if (!answer.ok) throw new Error(`The upload was answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
  process.send?.('taken');
}
process.disconnect();
