// Terraform does what Terraform's AWS provider does against the server of the environment: it configures itself with
// the provider's own library, and makes, reads, changes and deletes a key as the resource aws_kms_key does. It prints
// one line for each group of steps and ends with status 1 when one failed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
	"github.com/hashicorp/aws-sdk-go-base/v2/diag"
	"github.com/hashicorp/aws-sdk-go-base/v2/logging"
)

const region = "us-east-1"

var groups = []struct {
	name  string
	check func(context.Context)
}{
	{"provider with an access key", withAccessKey},
	{"provider with a profile that assumes a role", withProfile},
	{"provider with assume_role", withAssumeRole},
	{"provider with credentials that are not good", withBadCredentials},
	{"resource aws_kms_key", keyResource},
}

func main() {
	failures := 0
	for _, group := range groups {
		if err := run(group.check); err != nil {
			failures++
			fmt.Printf("FAILED %s: %s\n", group.name, strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Printf("ok %s\n", group.name)
		}
	}
	if failures > 0 {
		os.Exit(1)
	}
}

func run(check func(context.Context)) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	check(context.Background())
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func same[T comparable](found, expected T) {
	if found != expected {
		panic(fmt.Sprintf("found %v instead of %v", found, expected))
	}
}

// provider is the block of that name: region, credentials and endpoints.
func provider(credentials awsbase.Config) awsbase.Config {
	credentials.Region = region
	credentials.StsEndpoint = os.Getenv("AWS_ENDPOINT_URL_STS")
	credentials.CallerName = "Terraform AWS Provider"
	credentials.MaxRetries = 1
	credentials.Logger = logging.NullLogger{}
	return credentials
}

// configure gets credentials, checks them and asks whose account it is.
func configure(ctx context.Context, wanted awsbase.Config) (aws.Config, string, diag.Diagnostics) {
	ctx, config, problems := awsbase.GetAwsConfig(ctx, &wanted)
	if problems.HasError() {
		return config, "", problems
	}
	account, partition, more := awsbase.GetAwsAccountIDAndPartition(ctx, config, &wanted)
	if !more.HasError() {
		same(partition, "aws")
	}
	return config, account, append(problems, more...)
}

func tell(problems diag.Diagnostics) string {
	var lines []string
	for _, problem := range problems {
		lines = append(lines, problem.Summary()+": "+problem.Detail())
	}
	return strings.Join(lines, "; ")
}

func configured(ctx context.Context, wanted awsbase.Config) aws.Config {
	config, account, problems := configure(ctx, wanted)
	if problems.HasError() {
		panic(tell(problems))
	}
	same(account, strings.Split(os.Getenv("INTEROP_ROLE_ARN"), ":")[4])
	return config
}

func administrator() awsbase.Config {
	return provider(awsbase.Config{AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY")})
}

// worker is a user that may do nothing but assume one role, which may only encrypt.
func worker() awsbase.Config {
	return provider(awsbase.Config{
		AccessKey: os.Getenv("INTEROP_USER_ACCESS_KEY_ID"), SecretKey: os.Getenv("INTEROP_USER_SECRET_ACCESS_KEY"),
	})
}

func withAccessKey(ctx context.Context) {
	service := kmsOf(configured(ctx, administrator()))
	must(service.ListKeys(ctx, &kms.ListKeysInput{}))
}

// encrypts checks that a configuration is that of the role.
func encrypts(ctx context.Context, config aws.Config) {
	made := must(kmsOf(configured(ctx, administrator())).CreateKey(ctx, &kms.CreateKeyInput{})).KeyMetadata
	service := kmsOf(config)
	must(service.Encrypt(ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: []byte("terraform")}))
	_, err := service.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: made.KeyId})
	if err == nil || !strings.Contains(err.Error(), ":assumed-role/encrypter/") {
		panic(fmt.Sprintf("DescribeKey should be refused to the role, and not: %v", err))
	}
}

func withAssumeRole(ctx context.Context) {
	wanted := worker()
	wanted.AssumeRole = []awsbase.AssumeRole{{RoleARN: os.Getenv("INTEROP_ROLE_ARN"), SessionName: "terraform"}}
	encrypts(ctx, configured(ctx, wanted))
}

func withProfile(ctx context.Context) {
	folder := must(os.MkdirTemp("", "keywright-terraform"))
	defer os.RemoveAll(folder)
	file := func(name, format string, values ...any) []string {
		path := folder + "/" + name
		if err := os.WriteFile(path, fmt.Appendf(nil, format, values...), 0o600); err != nil {
			panic(err)
		}
		return []string{path}
	}
	wanted := provider(awsbase.Config{Profile: "encrypter"})
	wanted.SharedConfigFiles = file("config", "[profile encrypter]\nrole_arn = %s\nsource_profile = worker\n",
		os.Getenv("INTEROP_ROLE_ARN"))
	wanted.SharedCredentialsFiles = file("credentials", "[worker]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		os.Getenv("INTEROP_USER_ACCESS_KEY_ID"), os.Getenv("INTEROP_USER_SECRET_ACCESS_KEY"))
	encrypts(ctx, withoutCredentials(func() aws.Config { return configured(ctx, wanted) }))
}

// withoutCredentials hides the access key of the environment, which comes before a profile.
func withoutCredentials(get func() aws.Config) aws.Config {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		defer os.Setenv(name, os.Getenv(name))
		os.Unsetenv(name)
	}
	return get()
}

func withBadCredentials(ctx context.Context) {
	unknown := provider(awsbase.Config{AccessKey: "AKIAUNKNOWNUNKNOWN00", SecretKey: "none"})
	refused(ctx, unknown, "InvalidClientTokenId")
	refused(ctx, provider(awsbase.Config{AccessKey: administrator().AccessKey, SecretKey: "none"}), "SignatureDoesNotMatch")
	// The trust policy of the role names the worker only.
	wanted := administrator()
	wanted.AssumeRole = []awsbase.AssumeRole{{RoleARN: os.Getenv("INTEROP_ROLE_ARN"), SessionName: "terraform"}}
	refused(ctx, wanted, "AccessDenied")
}

func refused(ctx context.Context, wanted awsbase.Config, code string) {
	_, _, problems := configure(ctx, wanted)
	text := tell(problems)
	if !problems.HasError() || !strings.Contains(text, code) {
		panic(fmt.Sprintf("expected %s, and not: %s", code, text))
	}
}

// keyResource goes through the life of a key as the provider does: create and wait, read, update, delete and wait.
func keyResource(ctx context.Context) {
	service := kmsOf(configured(ctx, administrator()))
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Id":"terraform","Statement":[{"Sid":"Own","Effect":"Allow",`+
		`"Principal":{"AWS":["%s","%s"]},"Action":"kms:*","Resource":"*"}]}`,
		strings.ReplaceAll(os.Getenv("INTEROP_ROLE_ARN"), "role/encrypter", "root"), os.Getenv("INTEROP_ROLE_ARN"))
	id := must(service.CreateKey(ctx, &kms.CreateKeyInput{
		BypassPolicyLockoutSafetyCheck: false,
		KeySpec:                        types.KeySpecSymmetricDefault,
		KeyUsage:                       types.KeyUsageTypeEncryptDecrypt,
		Description:                    aws.String("made by terraform"),
		Policy:                         &policy,
		Tags:                           []types.Tag{{TagKey: aws.String("stage"), TagValue: aws.String("one")}},
	})).KeyMetadata.KeyId
	must(service.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(180)}))
	read(ctx, service, id, policy, "made by terraform", "one")

	must(service.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: id, Description: aws.String("changed")}))
	changed := strings.Replace(policy, "Own", "Changed", 1)
	must(service.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: id, Policy: &changed, PolicyName: aws.String("default")}))
	must(service.TagResource(ctx, &kms.TagResourceInput{
		KeyId: id, Tags: []types.Tag{{TagKey: aws.String("stage"), TagValue: aws.String("two")}},
	}))
	read(ctx, service, id, changed, "changed", "two")

	must(service.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: aws.Int32(7)}))
	same(describe(ctx, service, id).KeyState, types.KeyStatePendingDeletion)
}

// kmsOf makes a client as the provider does for a service that has an endpoint in its block.
func kmsOf(config aws.Config) *kms.Client {
	return kms.NewFromConfig(config, func(options *kms.Options) {
		options.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_KMS"))
	})
}

func describe(ctx context.Context, service *kms.Client, id *string) *types.KeyMetadata {
	return must(service.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})).KeyMetadata
}

// read is what the provider calls on every refresh; it compares policies as JSON.
func read(ctx context.Context, service *kms.Client, id *string, policy, description, stage string) {
	metadata := describe(ctx, service, id)
	same(metadata.KeyState, types.KeyStateEnabled)
	same(*metadata.Description, description)
	same(metadata.KeyManager, types.KeyManagerTypeCustomer)
	found := must(service.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("default")})).Policy
	same(normal(*found), normal(policy))
	rotation := must(service.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id}))
	same(rotation.KeyRotationEnabled, true)
	same(*rotation.RotationPeriodInDays, 180)
	tags := must(service.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: id})).Tags
	same(len(tags), 1)
	same(*tags[0].TagKey+"="+*tags[0].TagValue, "stage="+stage)
}

func normal(text string) string {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		panic(err)
	}
	return string(must(json.Marshal(value)))
}
