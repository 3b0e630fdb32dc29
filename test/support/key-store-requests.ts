/** Requests that make custom key stores, each with properties of its own. */
import type { CreateCustomKeyStoreCommandInput } from '@aws-sdk/client-kms';
import { RIGHT_SECRET } from './memory-backend.ts';

type Create = CreateCustomKeyStoreCommandInput & { readonly CustomKeyStoreName: string };

/** A trust anchor like the `customerCA.crt` of a cluster, self-signed for CN=customerCA. */
export const TRUST_ANCHOR = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUeRI761uce0IW2aooJOoS3P/ttAUwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKY3VzdG9tZXJDQTAgFw0yNjExMjIxOTAwMTdaGA8yMTI2MTAy
OTE5MDAxN1owFTETMBEGA1UEAwwKY3VzdG9tZXJDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABNfkzpkdOXd/OlVna5TOMEsFTlzFzybMDLaysE+GlGTksYlzYEgL
jlPIF+oES90w7Kep5ucz+b7bi97n4Rm8BbajUzBRMB0GA1UdDgQWBBSFDOTTgUUY
F8peLyFWqI6JVlIb4jAfBgNVHSMEGDAWgBSFDOTTgUUYF8peLyFWqI6JVlIb4jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCID14Xe3lyy8/XdmD1ubb
YByXMOpmj260U62cwapWTo5MAiEAu/p1hEyu2vGe7QOmUgVyXfp6twmZ8XTg4lsN
75kigcQ=
-----END CERTIFICATE-----
`;

export const PASSWORD = RIGHT_SECRET.slice(0, 20);
export const CREDENTIAL = { AccessKeyId: 'ABCDEFGHIJKLMNOPQRST234567', RawSecretAccessKey: RIGHT_SECRET };

let count = 0;

/** Cluster ids have the digits 2 to 7 only. */
function clusterDigits(number: number): string {
  return number
    .toString(6)
    .replaceAll(/\d/g, (digit) => String(Number(digit) + 2))
    .padStart(11, 'a');
}

export function cloudHsmStore(overrides: Partial<Create> = {}): Create {
  const number = String(++count);
  return {
    CustomKeyStoreName: `cluster store ${number}`,
    CloudHsmClusterId: `cluster-${clusterDigits(count)}`,
    TrustAnchorCertificate: TRUST_ANCHOR,
    KeyStorePassword: PASSWORD,
    ...overrides,
  };
}

export function xksStore(overrides: Partial<Create> = {}): Create {
  const number = String(++count);
  return {
    CustomKeyStoreName: `external store ${number}`,
    CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
    XksProxyConnectivity: 'PUBLIC_ENDPOINT',
    XksProxyUriEndpoint: `https://proxy${number}.example.com`,
    XksProxyUriPath: '/kms/xks/v1',
    XksProxyAuthenticationCredential: CREDENTIAL,
    ...overrides,
  };
}

export function vpcXksStore(overrides: Partial<Create> = {}): Create {
  return xksStore({
    XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    XksProxyVpcEndpointServiceName: `com.amazonaws.vpce.eu-central-1.vpce-svc-${String(++count)}`,
    ...overrides,
  });
}
