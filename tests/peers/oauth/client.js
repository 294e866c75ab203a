// A client that gets tokens by all grants, and a resource server that checks them.
//
// argv: JSON {"issuer", "audience", "machine": {"id", "secret"}, "native": {"id", "redirect"},
// "guard": {"id", "secret"}}. Prints the address a browser has to go to; reads the address it was
// sent back to; prints what came of it as JSON.
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const told = JSON.parse(process.argv[2]);
const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(told.issuer);

const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain });
const as = await oauth.processDiscoveryResponse(issuer, found);
const secret = (client) => oauth.ClientSecretBasic(client.secret);
const machine = { client_id: told.machine.id };
const native = { client_id: told.native.id };
const guard = { client_id: told.guard.id };

async function claims(token) {
  const request = new Request(told.audience, { headers: { authorization: `Bearer ${token}` } });
  return await oauth.validateJwtAccessToken(as, request, told.audience, plain);
}

async function isActive(token) {
  const answer = await oauth.introspectionRequest(as, guard, secret(told.guard), token, plain);
  return (await oauth.processIntrospectionResponse(as, guard, answer)).active;
}

async function error(work) {
  try {
    await work();
    return null;
  } catch (reason) {
    return reason.error ?? reason.code;
  }
}

const own = await oauth.processClientCredentialsResponse(
  as,
  machine,
  await oauth.clientCredentialsGrantRequest(
    as, machine, secret(told.machine), { scope: "read", resource: told.audience }, plain,
  ),
);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const url = new URL(as.authorization_endpoint);
url.search = new URLSearchParams({
  client_id: native.client_id,
  redirect_uri: told.native.redirect,
  response_type: "code",
  scope: "read",
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
console.log(url.href);

for await (const line of createInterface({ input: process.stdin })) {
  const back = oauth.validateAuthResponse(as, native, new URL(line), state);
  const redeem = async () => await oauth.processAuthorizationCodeResponse(
    as,
    native,
    await oauth.authorizationCodeGrantRequest(
      as, native, oauth.None(), back, told.native.redirect, verifier, plain,
    ),
  );
  const refresh = async (token) => await oauth.processRefreshTokenResponse(
    as, native, await oauth.refreshTokenGrantRequest(as, native, oauth.None(), token, plain),
  );
  const first = await redeem();
  const second = await refresh(first.refresh_token);
  const mixedUp = new URL(line);
  mixedUp.searchParams.set("iss", "https://evil.example.com");
  const before = await isActive(second.access_token);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, native, oauth.None(), second.refresh_token, plain),
  );
  console.log(JSON.stringify({
    own: await claims(own.access_token),
    first: await claims(first.access_token),
    second: await claims(second.access_token),
    before,
    after: await isActive(second.access_token),
    mixedUp: await error(async () => oauth.validateAuthResponse(as, native, mixedUp, state)),
    again: await error(redeem),
    refreshed: await error(async () => await refresh(second.refresh_token)),
  }));
  break;
}
process.exit(0);
