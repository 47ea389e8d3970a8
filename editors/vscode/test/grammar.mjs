// Holds the grammar against the server: what `starform lsp` calls a keyword, a string or a number is coloured as one.
// Runs the tokenizer of VS Code over every example and golden that is KDL. STARFORM names the program; else it is on the PATH.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server } from './server.cjs';

const require = createRequire(import.meta.url);
const { Registry, INITIAL, parseRawGrammar } = require('vscode-textmate');
const oniguruma = require('vscode-oniguruma');

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../../..');

// By type of semantic token: beginnings of scopes of which the innermost must have one. A line shows less than the tree:
// it does not know that a text is a name, or that `self` in it is a word.
const SCOPES = {
  comment: ['comment'],
  keyword: ['keyword', 'variable.language', 'string'],
  decorator: ['storage.type'],
  namespace: ['entity.name.type', 'string', 'support.constant'],
  struct: ['entity.name.type', 'string', 'support.constant'],
  class: ['entity.name.type', 'string', 'support.constant'],
  variable: ['variable', 'keyword', 'string'],
  property: ['entity.other.attribute-name', 'variable', 'string', 'keyword'],
  string: ['string', 'support.constant', 'constant.character', 'entity.name.type', 'storage.type', 'meta.embedded'],
  number: ['constant.numeric', 'constant.language'],
  enumMember: ['constant.language'],
  operator: ['keyword.operator', 'punctuation', 'meta.embedded', 'string', 'constant.character'],
};

// Written so that a line does not show what it belongs to: values on a continued line, comments inside of a node.
const BEYOND_LINES = ['golden/fmt/comments.kdl'];

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : path.endsWith('.kdl') ? [path] : [];
  });
}

async function grammar() {
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm);
  const path = join(here, '../starform.tmLanguage.json');
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(readFileSync(path, 'utf8'), path),
  });
  return registry.loadGrammar('source.starform');
}

function scopesByLine(grammar, lines) {
  let state = INITIAL;
  return lines.map((line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    return tokens;
  });
}

const colours = await grammar();
const server = await Server.start();
const counts = {};
const wrong = [];
// Texts that are no KDL are the server's business alone.
const texts = [...files(join(root, 'examples')), ...files(join(root, 'golden'))]
  .filter((path) => !BEYOND_LINES.includes(relative(root, path)));
for (const path of texts) {
  const text = readFileSync(path, 'utf8');
  const { tokens, broken } = await server.judge(text);
  if (broken) continue;
  const lines = text.split(/\r\n|\n|\r/);
  const coloured = scopesByLine(colours, lines);
  for (const { line, column, length, type } of tokens) {
    const word = lines[line].slice(column, column + length);
    // What `/-` leaves out is the tree's to know.
    if (type === 'comment' && !/^(\/\/|\/\*|.*\*\/$)/.test(word)) continue;
    const token = coloured[line].findLast((token) => token.startIndex <= column);
    const scope = token.scopes.at(-1);
    counts[type] = (counts[type] ?? 0) + 1;
    if (!SCOPES[type].some((start) => scope.startsWith(start))) {
      wrong.push(`${relative(root, path)}:${line + 1}:${column + 1}: ${type} \`${word}\` has ${scope}`);
    }
  }
}
await server.stop();
console.log(`${texts.length} texts, tokens that agree by type:`, counts);
if (wrong.length > 0 || Object.keys(counts).length < 9) {
  console.error(`${wrong.length} differ:\n${wrong.slice(0, 30).join('\n')}`);
  process.exit(1);
}
