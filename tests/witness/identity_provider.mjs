// SPDX-License-Identifier: Apache-2.0
// Somebody else's OpenID Connect provider (oidc-provider), for sign-ins of the tests:
//   node identity_provider.mjs MODULES REDIRECT_URL
// prints its address. Its page asks for a name, and by what the person showed to be him; whoever comes
// is let in with them, but for "nobody", whom it refuses.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, redirect] = process.argv.slice(2);
const entry = createRequire(path.join(modules, 'none.js')).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(entry));

const server = createServer();
server.listen(0, '127.0.0.1', () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [{
            client_id: 'colophon', client_secret: 'hush %&+=', redirect_uris: [redirect],
            response_types: ['code'], grant_types: ['authorization_code'],
        }],
        claims: { openid: ['sub', 'amr'] },
        conformIdTokenClaims: false,
        features: { devInteractions: { enabled: false } },
        interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
        cookies: { keys: ['of the tests'] },
        ttl: { Session: 600, Interaction: 600, Grant: 600, AuthorizationCode: 60, IdToken: 300, AccessToken: 300 },
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
        // Nobody is asked whether he agrees: the client is his own house's.
        loadExistingGrant: async (context) => {
            const grant = new provider.Grant({
                clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId,
            });
            grant.addOIDCScope('openid');
            await grant.save();
            return grant;
        },
    });
    const answer = provider.callback();
    server.on('request', async (request, response) => {
        const url = new URL(request.url, issuer);
        if (!url.pathname.startsWith('/sign-in/')) {
            answer(request, response);
            return;
        }
        const name = url.searchParams.get('name');
        if (!name) {
            response.setHeader('content-type', 'text/html');
            response.end('<form><input name=name><input name=by><button>Sign in</button></form>');
            return;
        }
        const login = { accountId: name, amr: url.searchParams.getAll('by') };
        await provider.interactionFinished(request, response,
            name === 'nobody' ? { error: 'access_denied' } : { login });
    });
    console.log(issuer);
});
