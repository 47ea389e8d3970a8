// Starts `starform lsp` for the workspace and hands it every .kdl file; the server leaves alone what no starform.kdl includes.
'use strict';

const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

async function activate() {
  const command = workspace.getConfiguration('starform').get('command', 'starform');
  const server = { command, args: ['lsp'] };
  client = new LanguageClient(
    'starform',
    'Starform',
    { run: server, debug: server },
    {
      documentSelector: [
        { scheme: 'file', pattern: '**/*.kdl' },
        { scheme: 'untitled', language: 'starform' },
      ],
    },
  );
  await client.start();
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
