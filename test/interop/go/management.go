package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

var managementGroups = []group{
	{"keys", keys},
	{"aliases", aliases},
	{"tags", tags},
	{"policies", policies},
	{"rotation", rotation},
	{"last usage", lastUsage},
	{"grants", grants},
	{"multi-Region keys", multiRegion},
	{"deletion", deletion},
	{"errors", refusals},
}

func keys(s smoke) {
	made := s.create(kms.CreateKeyInput{Description: aws.String("first")})
	same(*made.Arn, fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, *made.AWSAccountId, *made.KeyId))
	must(s.kms.UpdateKeyDescription(s.ctx, &kms.UpdateKeyDescriptionInput{
		KeyId: made.KeyId, Description: aws.String("second"),
	}))
	described := s.describe(made.Arn)
	same(*described.Description, "second")
	same(*described.CreationDate, *made.CreationDate)
	found := false
	pages := kms.NewListKeysPaginator(s.kms, &kms.ListKeysInput{Limit: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, entry := range must(pages.NextPage(s.ctx)).Keys {
			found = found || *entry.KeyArn == *made.Arn
		}
	}
	same(found, true)
	must(s.kms.DisableKey(s.ctx, &kms.DisableKeyInput{KeyId: made.KeyId}))
	_, err := s.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: message})
	refused[*types.DisabledException](err, *made.Arn+" is disabled.")
	must(s.kms.EnableKey(s.ctx, &kms.EnableKeyInput{KeyId: made.KeyId}))
	same(s.describe(made.KeyId).Enabled, true)
}

func aliases(s smoke) {
	name := aws.String(fmt.Sprintf("alias/go-%d", time.Now().UnixNano()))
	first, second := s.create(kms.CreateKeyInput{}), s.create(kms.CreateKeyInput{})
	must(s.kms.CreateAlias(s.ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: first.KeyId}))
	aliasArn := strings.Split(*first.Arn, ":key/")[0] + ":" + *name
	same(*must(s.kms.ListAliases(s.ctx, &kms.ListAliasesInput{KeyId: first.KeyId})).Aliases[0].AliasArn, aliasArn)
	blob := s.encrypt(name, message, nil)
	_, err := s.kms.CreateAlias(s.ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: second.KeyId})
	refused[*types.AlreadyExistsException](err, "An alias with the name "+aliasArn+" already exists")
	must(s.kms.UpdateAlias(s.ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: second.KeyId}))
	same(*s.describe(&aliasArn).Arn, *second.Arn)
	same(s.decrypt(blob, nil).Plaintext, message)
	must(s.kms.DeleteAlias(s.ctx, &kms.DeleteAliasInput{AliasName: name}))
	_, err = s.kms.DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: name})
	refused[*types.NotFoundException](err, "Alias "+aliasArn+" is not found.")
}

func tags(s smoke) {
	tag := func(key, value string) types.Tag {
		return types.Tag{TagKey: aws.String(key), TagValue: aws.String(value)}
	}
	keyID := s.create(kms.CreateKeyInput{Tags: []types.Tag{tag("stage", "test")}}).KeyId
	must(s.kms.TagResource(s.ctx, &kms.TagResourceInput{KeyId: keyID, Tags: []types.Tag{tag("owner", "Zoë")}}))
	must(s.kms.UntagResource(s.ctx, &kms.UntagResourceInput{KeyId: keyID, TagKeys: []string{"stage"}}))
	listed := must(s.kms.ListResourceTags(s.ctx, &kms.ListResourceTagsInput{KeyId: keyID})).Tags
	same(listed, []types.Tag{tag("owner", "Zoë")})
	_, err := s.kms.TagResource(s.ctx, &kms.TagResourceInput{KeyId: keyID, Tags: []types.Tag{tag("aws:x", "")}})
	refused[*types.TagException](err, "Tags beginning with aws: are reserved")
}

func policies(s smoke) {
	keyID := s.create(kms.CreateKeyInput{}).KeyId
	names := must(s.kms.ListKeyPolicies(s.ctx, &kms.ListKeyPoliciesInput{KeyId: keyID})).PolicyNames
	same(names, []string{"default"})
	read := func() (policy map[string]any) {
		text := must(s.kms.GetKeyPolicy(s.ctx, &kms.GetKeyPolicyInput{KeyId: keyID})).Policy
		if err := json.Unmarshal([]byte(*text), &policy); err != nil {
			panic(err)
		}
		return policy
	}
	policy := read()
	policy["Id"] = "changed"
	text := aws.String(string(must(json.Marshal(policy))))
	must(s.kms.PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: keyID, Policy: text}))
	same(read(), policy)
	_, err := s.kms.PutKeyPolicy(s.ctx, &kms.PutKeyPolicyInput{KeyId: keyID, Policy: aws.String("{")})
	var malformed *types.MalformedPolicyDocumentException
	same(errors.As(err, &malformed), true)
}

func rotation(s smoke) {
	made := s.create(kms.CreateKeyInput{})
	blob := s.encrypt(made.KeyId, message, nil)
	must(s.kms.EnableKeyRotation(s.ctx, &kms.EnableKeyRotationInput{
		KeyId: made.KeyId, RotationPeriodInDays: aws.Int32(180),
	}))
	status := func() *kms.GetKeyRotationStatusOutput {
		return must(s.kms.GetKeyRotationStatus(s.ctx, &kms.GetKeyRotationStatusInput{KeyId: made.KeyId}))
	}
	same(status().KeyRotationEnabled, true)
	same(*status().RotationPeriodInDays, int32(180))
	must(s.kms.RotateKeyOnDemand(s.ctx, &kms.RotateKeyOnDemandInput{KeyId: made.KeyId}))
	eventually("the rotation is listed", func() bool {
		rotations := must(s.kms.ListKeyRotations(s.ctx, &kms.ListKeyRotationsInput{KeyId: made.KeyId})).Rotations
		return len(rotations) == 1 && rotations[0].RotationType == types.RotationTypeOnDemand
	})
	opened := s.decrypt(blob, nil)
	same(opened.Plaintext, message)
	same(*opened.KeyMaterialId, *made.CurrentKeyMaterialId)
	renewed := s.decrypt(s.encrypt(made.KeyId, message, nil), nil)
	same(*renewed.KeyMaterialId == *made.CurrentKeyMaterialId, false)
	must(s.kms.DisableKeyRotation(s.ctx, &kms.DisableKeyRotationInput{KeyId: made.KeyId}))
	same(status().KeyRotationEnabled, false)
}

func lastUsage(s smoke) {
	keyID := s.create(kms.CreateKeyInput{}).KeyId
	s.encrypt(keyID, message, nil)
	usage := must(s.kms.GetKeyLastUsage(s.ctx, &kms.GetKeyLastUsageInput{KeyId: keyID})).KeyLastUsage
	same(usage.Operation, types.KeyLastUsageTrackingOperationEncrypt)
}

func grants(s smoke) {
	made := s.create(kms.CreateKeyInput{})
	principal := aws.String("arn:aws:iam::" + *made.AWSAccountId + ":root")
	subset := map[string]string{"tenant": "42"}
	granted := must(s.kms.CreateGrant(s.ctx, &kms.CreateGrantInput{
		KeyId:             made.KeyId,
		GranteePrincipal:  principal,
		RetiringPrincipal: principal,
		Operations:        []types.GrantOperation{types.GrantOperationEncrypt, types.GrantOperationDecrypt},
		Constraints:       &types.GrantConstraints{EncryptionContextSubset: subset},
	}))
	tokens := []string{*granted.GrantToken}
	sealed := must(s.kms.Encrypt(s.ctx, &kms.EncryptInput{
		KeyId: made.KeyId, Plaintext: message, EncryptionContext: encryptionContext, GrantTokens: tokens,
	}))
	opened := must(s.kms.Decrypt(s.ctx, &kms.DecryptInput{
		CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: encryptionContext, GrantTokens: tokens,
	}))
	same(opened.Plaintext, message)
	list := func() []types.GrantListEntry {
		return must(s.kms.ListGrants(s.ctx, &kms.ListGrantsInput{KeyId: made.KeyId})).Grants
	}
	same(*list()[0].GrantId, *granted.GrantId)
	same(list()[0].Constraints.EncryptionContextSubset, subset)
	must(s.kms.ListRetirableGrants(s.ctx, &kms.ListRetirableGrantsInput{RetiringPrincipal: principal}))
	must(s.kms.RetireGrant(s.ctx, &kms.RetireGrantInput{GrantToken: granted.GrantToken}))
	other := must(s.kms.CreateGrant(s.ctx, &kms.CreateGrantInput{
		KeyId: made.KeyId, GranteePrincipal: principal, Operations: []types.GrantOperation{types.GrantOperationDecrypt},
	}))
	same(len(list()), 1)
	must(s.kms.RevokeGrant(s.ctx, &kms.RevokeGrantInput{KeyId: made.KeyId, GrantId: other.GrantId}))
	same(len(list()), 0)
}

func multiRegion(s smoke) {
	there := smoke{s.ctx, connect(otherRegion)}
	primary := s.create(kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
	replica := must(s.kms.ReplicateKey(s.ctx, &kms.ReplicateKeyInput{
		KeyId: primary.KeyId, ReplicaRegion: aws.String(otherRegion),
	})).ReplicaKeyMetadata
	same(*replica.Arn, strings.Replace(*primary.Arn, region, otherRegion, 1))
	there.waitUntilEnabled(replica.Arn)
	opened := there.decrypt(s.encrypt(primary.KeyId, message, encryptionContext), encryptionContext)
	same(opened.Plaintext, message)
	same(*opened.KeyId, *replica.Arn)
	s.waitUntilEnabled(primary.KeyId)
	must(s.kms.UpdatePrimaryRegion(s.ctx, &kms.UpdatePrimaryRegionInput{
		KeyId: primary.KeyId, PrimaryRegion: aws.String(otherRegion),
	}))
	there.waitUntilEnabled(replica.Arn)
	same(there.describe(replica.Arn).MultiRegionConfiguration.MultiRegionKeyType, types.MultiRegionKeyTypePrimary)
}

func deletion(s smoke) {
	made := s.create(kms.CreateKeyInput{})
	scheduled := must(s.kms.ScheduleKeyDeletion(s.ctx, &kms.ScheduleKeyDeletionInput{
		KeyId: made.KeyId, PendingWindowInDays: aws.Int32(7),
	}))
	same(*s.describe(made.KeyId).DeletionDate, *scheduled.DeletionDate)
	_, err := s.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: message})
	refused[*types.KMSInvalidStateException](err, *made.Arn+" is pending deletion.")
	must(s.kms.CancelKeyDeletion(s.ctx, &kms.CancelKeyDeletionInput{KeyId: made.KeyId}))
	same(s.describe(made.KeyId).KeyState, types.KeyStateDisabled)
}

func refusals(s smoke) {
	made := s.create(kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeSignVerify})
	gone := "11111111-2222-4333-8444-555555555555"
	_, err := s.kms.DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: &gone})
	refused[*types.NotFoundException](err, fmt.Sprintf("Key '%s' does not exist", strings.Replace(*made.Arn, *made.KeyId, gone, 1)))
	_, err = s.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: message})
	refused[*types.InvalidKeyUsageException](err, *made.Arn+" key usage is SIGN_VERIFY which is not valid for Encrypt.")
	_, err = s.kms.Sign(s.ctx, &kms.SignInput{
		KeyId: made.KeyId, Message: message, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPssSha256, DryRun: aws.Bool(true),
	})
	refused[*types.DryRunOperationException](err, "The request would have succeeded, but the DryRun option is set.")
	_, err = s.kms.GenerateRandom(s.ctx, &kms.GenerateRandomInput{})
	same(refused[smithy.APIError](err, "NumberOfBytes is required.").ErrorCode(), "ValidationException")
	_, err = s.kms.ListKeys(s.ctx, &kms.ListKeysInput{}, func(options *kms.Options) {
		options.Credentials = credentials.NewStaticCredentialsProvider("AKIAUNKNOWNUNKNOWN00", "none", "")
	})
	unknown := refused[smithy.APIError](err, "The security token included in the request is invalid.")
	same(unknown.ErrorCode(), "UnrecognizedClientException")
}
