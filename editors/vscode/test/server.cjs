// A client of `starform lsp` that is as small as its questions.
'use strict';

const { spawn } = require('node:child_process');

class Server {
  static async start() {
    const server = new Server();
    const greeting = await server.ask('initialize', { capabilities: {} });
    server.types = greeting.capabilities.semanticTokensProvider.legend.tokenTypes;
    server.tell('initialized', {});
    return server;
  }

  constructor() {
    this.process = spawn(process.env.STARFORM ?? 'starform', ['lsp'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.rest = Buffer.alloc(0);
    this.asked = new Map();
    this.judged = new Map();
    this.last = 0;
    this.process.stdout.on('data', (data) => this.read(data));
  }

  read(data) {
    this.rest = Buffer.concat([this.rest, data]);
    for (;;) {
      const end = this.rest.indexOf('\r\n\r\n');
      const length = end < 0 ? NaN : Number(/Content-Length: (\d+)/.exec(this.rest.toString('latin1', 0, end))[1]);
      if (!(this.rest.length >= end + 4 + length)) return;
      const message = JSON.parse(this.rest.toString('utf8', end + 4, end + 4 + length));
      this.rest = this.rest.subarray(end + 4 + length);
      if (message.method === 'textDocument/publishDiagnostics') {
        this.judged.get(message.params.uri)?.(message.params.diagnostics);
      } else if (this.asked.has(message.id)) {
        this.asked.get(message.id)(message.result);
      }
    }
  }

  send(message) {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  tell(method, params) {
    this.send({ method, params });
  }

  ask(method, params) {
    const id = ++this.last;
    this.send({ id, method, params });
    return new Promise((resolve) => this.asked.set(id, resolve));
  }

  // The semantic tokens of a text, and whether it is no KDL.
  async judge(text) {
    const uri = `untitled:text-${++this.last}`;
    const judged = new Promise((resolve) => this.judged.set(uri, resolve));
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'starform', version: 1, text } });
    const diagnostics = await judged;
    this.judged.delete(uri);
    const { data } = await this.ask('textDocument/semanticTokens/full', { textDocument: { uri } });
    this.tell('textDocument/didClose', { textDocument: { uri } });
    const tokens = [];
    let [line, column] = [0, 0];
    for (let index = 0; index < data.length; index += 5) {
      column = data[index] === 0 ? column + data[index + 1] : data[index + 1];
      line += data[index];
      tokens.push({ line, column, length: data[index + 2], type: this.types[data[index + 3]] });
    }
    const broken = diagnostics.some(({ severity, code }) => severity === 1 && code.startsWith('SF1'));
    return { tokens, broken };
  }

  async stop() {
    await this.ask('shutdown');
    this.tell('exit');
  }
}

module.exports = { Server };
