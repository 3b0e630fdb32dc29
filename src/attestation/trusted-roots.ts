import { AttestationError, demand } from './attestation-error.ts';
import { parseCertificate, type Certificate } from './certificate.ts';
import { checkAuthority } from './certificate-chain.ts';

/**
 * The root of the commercial AWS Regions, CN=aws.nitro-enclaves. Published by AWS as AWS_NitroEnclaves_Root-G1; the
 * SHA-256 of its DER is 641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b.
 *
 * @source Nitro Enclaves User Guide, "Verifying the root of trust"
 */
export const AWS_NITRO_ROOT = `-----BEGIN CERTIFICATE-----
MIICETCCAZagAwIBAgIRAPkxdWgbkK/hHUbMtOTn+FYwCgYIKoZIzj0EAwMwSTEL
MAkGA1UEBhMCVVMxDzANBgNVBAoMBkFtYXpvbjEMMAoGA1UECwwDQVdTMRswGQYD
VQQDDBJhd3Mubml0cm8tZW5jbGF2ZXMwHhcNMTkxMDI4MTMyODA1WhcNNDkxMDI4
MTQyODA1WjBJMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGQW1hem9uMQwwCgYDVQQL
DANBV1MxGzAZBgNVBAMMEmF3cy5uaXRyby1lbmNsYXZlczB2MBAGByqGSM49AgEG
BSuBBAAiA2IABPwCVOumCMHzaHDimtqQvkY4MpJzbolL//Zy2YlES1BR5TSksfbb
48C8WBoyt7F2Bw7eEtaaP+ohG2bnUs990d0JX28TcPQXCEPZ3BABIeTPYwEoCWZE
h8l5YoQwTcU/9KNCMEAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUkCW1DdkF
R+eWw5b6cp3PmanfS5YwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49BAMDA2kAMGYC
MQCjfy+Rocm9Xue4YnwWmNJVA44fA0P5W2OpYow9OYCVRaEevL8uO1XYru5xtMPW
rfMCMQCi85sWBbJwKKXdS6BptQFuZbT73o/gBh1qUxl/nNr12UO8Yfwr6wPLb+6N
IwLz3/Y=
-----END CERTIFICATE-----
`;

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----/g;

/**
 * Certificates that chains may begin at, from PEM text; whatever stands between them is ignored.
 *
 * @throws AttestationError when there is none, or one that could never begin a chain
 */
export function parseTrustedRoots(pem: string): readonly Certificate[] {
  try {
    const roots = [...pem.matchAll(PEM_BLOCK)].map(([, base64 = '']) => {
      const root = parseCertificate(Buffer.from(base64, 'base64'));
      checkAuthority(root, 0);
      return root;
    });
    demand(roots.length > 0, 'has no certificate');
    return roots;
  } catch (error) {
    throw error instanceof AttestationError
      ? new AttestationError(`the PEM text of trusted roots ${error.message}`, { cause: error })
      : error;
  }
}
