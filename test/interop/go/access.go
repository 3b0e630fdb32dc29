package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// Who may do what. The environment names the administrator, a user that no policy allows anything, and a role.
var accessGroups = []group{
	{"identities", identities},
	{"grants to another identity", grantsToAnother},
	{"AWS managed keys", managed},
	{"STS", securityTokens},
}

var (
	userARN         = os.Getenv("INTEROP_USER_ARN")
	roleARN         = os.Getenv("INTEROP_ROLE_ARN")
	userCredentials = credentials.NewStaticCredentialsProvider(
		os.Getenv("INTEROP_USER_ACCESS_KEY_ID"), os.Getenv("INTEROP_USER_SECRET_ACCESS_KEY"), "")
)

// as is a smoke whose calls another identity makes.
func (s smoke) as(who aws.CredentialsProvider) smoke {
	return smoke{s.ctx, connect(region, config.WithCredentialsProvider(who))}
}

func session(made *ststypes.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*made.AccessKeyId, *made.SecretAccessKey, *made.SessionToken)
}

// tokens makes a client of STS; endpoint and, unless there are others, credentials are those of the environment.
func (s smoke) tokens(options ...func(*config.LoadOptions) error) *sts.Client {
	return sts.NewFromConfig(configure(region, options...))
}

func (s smoke) administrator() string {
	return *must(s.tokens().GetCallerIdentity(s.ctx, &sts.GetCallerIdentityInput{})).Arn
}

// denied checks that a call failed because of policies; KMS has no type for this error.
func denied(err error, callerARN, action, resource, reason string) {
	text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", callerARN, action, resource, reason)
	same(refused[smithy.APIError](err, text).ErrorCode(), "AccessDeniedException")
}

// unallowed checks that a call failed because no policy of the caller allows the action.
func unallowed(err error, callerARN, action, resource string) {
	denied(err, callerARN, action, resource, "because no identity-based policy allows the "+action+" action")
}

func identities(s smoke) {
	user, administrator := s.as(userCredentials), s.administrator()
	made := s.create(kms.CreateKeyInput{})
	encryption := kms.EncryptInput{KeyId: made.KeyId, Plaintext: message}
	blob := must(s.kms.Encrypt(s.ctx, &encryption)).CiphertextBlob
	decryption := kms.DecryptInput{KeyId: made.KeyId, CiphertextBlob: blob}
	_, err := user.kms.CreateKey(s.ctx, &kms.CreateKeyInput{})
	unallowed(err, userARN, "kms:CreateKey", "*")
	_, err = user.kms.DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: made.KeyId})
	unallowed(err, userARN, "kms:DescribeKey", *made.Arn)
	_, err = user.kms.Decrypt(s.ctx, &decryption)
	unallowed(err, userARN, "kms:Decrypt", *made.Arn)
	s.addStatements(made.KeyId,
		map[string]any{"Effect": "Allow", "Principal": map[string]string{"AWS": userARN}},
		map[string]any{"Effect": "Deny", "Principal": map[string]string{"AWS": administrator}})
	same(must(user.kms.Decrypt(s.ctx, &decryption)).Plaintext, message)
	_, err = user.kms.Encrypt(s.ctx, &encryption)
	unallowed(err, userARN, "kms:Encrypt", *made.Arn)
	must(s.kms.Encrypt(s.ctx, &encryption))
	_, err = s.kms.Decrypt(s.ctx, &decryption)
	denied(err, administrator, "kms:Decrypt", *made.Arn, "with an explicit deny in a resource-based policy")
}

// addStatements adds statements about kms:Decrypt to the policy of a key.
func (s smoke) addStatements(keyID *string, statements ...map[string]any) {
	text := must(s.kms.GetKeyPolicy(s.ctx, &kms.GetKeyPolicyInput{KeyId: keyID})).Policy
	var policy map[string]any
	if err := json.Unmarshal([]byte(*text), &policy); err != nil {
		panic(err)
	}
	for _, statement := range statements {
		statement["Action"], statement["Resource"] = "kms:Decrypt", "*"
		policy["Statement"] = append(policy["Statement"].([]any), statement)
	}
	text = aws.String(string(must(json.Marshal(policy))))
	must(s.kms.PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: keyID, Policy: text}))
}

func grantsToAnother(s smoke) {
	user := s.as(userCredentials)
	made := s.create(kms.CreateKeyInput{})
	decrypt := func(encryptionContext map[string]string, tokens ...string) (*kms.DecryptOutput, error) {
		return user.kms.Decrypt(s.ctx, &kms.DecryptInput{
			KeyId: made.KeyId, CiphertextBlob: s.encrypt(made.KeyId, message, encryptionContext),
			EncryptionContext: encryptionContext, GrantTokens: tokens,
		})
	}
	_, err := decrypt(encryptionContext)
	unallowed(err, userARN, "kms:Decrypt", *made.Arn)
	granted := must(s.kms.CreateGrant(s.ctx, &kms.CreateGrantInput{
		KeyId:            made.KeyId,
		GranteePrincipal: aws.String(userARN),
		Operations:       []types.GrantOperation{types.GrantOperationDecrypt},
		Constraints:      &types.GrantConstraints{EncryptionContextSubset: map[string]string{"tenant": "42"}},
	}))
	same(must(decrypt(encryptionContext, *granted.GrantToken)).Plaintext, message)
	_, err = decrypt(map[string]string{"tenant": "43"}, *granted.GrantToken)
	unallowed(err, userARN, "kms:Decrypt", *made.Arn)
	_, err = user.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: message})
	unallowed(err, userARN, "kms:Encrypt", *made.Arn)
	must(s.kms.RevokeGrant(s.ctx, &kms.RevokeGrantInput{KeyId: made.KeyId, GrantId: granted.GrantId}))
	_, err = decrypt(encryptionContext)
	unallowed(err, userARN, "kms:Decrypt", *made.Arn)
}

func managed(s smoke) {
	name := aws.String("alias/aws/s3")
	made := s.describe(name)
	same(made.KeyManager, types.KeyManagerTypeAws)
	same(made.KeyState, types.KeyStateEnabled)
	same(*s.describe(made.Arn), *made)
	listed := must(s.kms.ListAliases(s.ctx, &kms.ListAliasesInput{KeyId: made.KeyId})).Aliases
	same(*listed[0].AliasName, *name)
	// Only the service that it belongs to uses the key.
	_, err := s.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: name, Plaintext: message})
	denied(err, s.administrator(), "kms:Encrypt", *made.Arn,
		"because no resource-based policy allows the kms:Encrypt action")
}

func securityTokens(s smoke) {
	ours, theirs := s.tokens(), s.tokens(config.WithCredentialsProvider(userCredentials))
	made := s.create(kms.CreateKeyInput{})
	identity := must(theirs.GetCallerIdentity(s.ctx, &sts.GetCallerIdentityInput{}))
	same(*identity.Arn, userARN)
	same(*identity.Account, *made.AWSAccountId)
	same(s.administrator() == userARN, false)
	input := sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: aws.String("go")}
	_, err := ours.AssumeRole(s.ctx, &input)
	text := fmt.Sprintf("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", s.administrator(), roleARN)
	same(refused[smithy.APIError](err, text).ErrorCode(), "AccessDenied")
	assumed := must(theirs.AssumeRole(s.ctx, &input))
	arn := strings.NewReplacer(":iam:", ":sts:", ":role/", ":assumed-role/").Replace(roleARN) + "/go"
	same(*assumed.AssumedRoleUser.Arn, arn)
	credentialsOfRole := config.WithCredentialsProvider(session(assumed.Credentials))
	same(*must(s.tokens(credentialsOfRole).GetCallerIdentity(s.ctx, &sts.GetCallerIdentityInput{})).Arn, arn)
	encrypter := s.as(session(assumed.Credentials))
	decryption := kms.DecryptInput{KeyId: made.KeyId, CiphertextBlob: encrypter.encrypt(made.KeyId, message, nil)}
	_, err = encrypter.kms.Decrypt(s.ctx, &decryption)
	unallowed(err, arn, "kms:Decrypt", *made.Arn)
	temporary := must(ours.GetSessionToken(s.ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)}))
	same(must(s.as(session(temporary.Credentials)).kms.Decrypt(s.ctx, &decryption)).Plaintext, message)
	unknown := credentials.NewStaticCredentialsProvider("AKIAUNKNOWNUNKNOWN00", "none", "")
	_, err = s.tokens(config.WithCredentialsProvider(unknown)).GetCallerIdentity(s.ctx, &sts.GetCallerIdentityInput{})
	stranger := refused[smithy.APIError](err, "The security token included in the request is invalid.")
	same(stranger.ErrorCode(), "InvalidClientTokenId")
}
