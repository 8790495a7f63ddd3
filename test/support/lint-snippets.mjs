/**
 * A program for tests: lints snippets with the project's own configuration. Reads from standard input a JSON list of
 * `{ file, code }`, where `file` need not exist, and prints for each the names of the rules that it breaks. It is a
 * process of its own because jest cannot load a configuration that is an ES module.
 */
import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';

const eslint = new ESLint();
const broken = [];
for (const { file, code } of JSON.parse(await text(process.stdin))) {
  const [result] = await eslint.lintText(code, { filePath: file });
  broken.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
}
process.stdout.write(JSON.stringify(broken));
