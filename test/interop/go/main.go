// Interop runs the AWS SDK for Go against the server of the environment. It prints one line for each group of
// operations and ends with status 1 when one failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const (
	region      = "us-east-1"
	otherRegion = "eu-west-1"
)

// A group is a function that fails by panicking; a new one is added to the list of its file and to groups.
type group struct {
	name  string
	check func(smoke)
}

// A smoke is what every group is given.
type smoke struct {
	ctx context.Context
	kms *kms.Client
}

func main() {
	s := smoke{context.Background(), connect(region)}
	failures := 0
	for _, g := range slices.Concat(managementGroups, cryptographicGroups, custodyGroups, accessGroups) {
		if err := run(g, s); err != nil {
			failures++
			fmt.Printf("FAILED %s: %s\n", g.name, strings.Join(strings.Fields(err.Error()), " "))
		} else {
			fmt.Printf("ok %s\n", g.name)
		}
	}
	if failures > 0 {
		os.Exit(1)
	}
}

func run(g group, s smoke) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	g.check(s)
	return nil
}

// configure is what clients for one Region are made of; what the options leave open is that of the environment.
func configure(region string, options ...func(*config.LoadOptions) error) aws.Config {
	options = append(options, config.WithRegion(region), config.WithRetryMaxAttempts(1))
	return must(config.LoadDefaultConfig(context.Background(), options...))
}

func connect(region string, options ...func(*config.LoadOptions) error) *kms.Client {
	return kms.NewFromConfig(configure(region, options...))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func same(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Sprintf("%v instead of %v", actual, expected))
	}
}

// refused checks that a call failed with an error of type E of the SDK that has this message.
func refused[E interface {
	error
	ErrorMessage() string
}](err error, message string) E {
	var typed E
	if !errors.As(err, &typed) {
		panic(fmt.Sprintf("%v (%T) instead of %T", err, err, typed))
	}
	same(typed.ErrorMessage(), message)
	return typed
}

func (s smoke) create(input kms.CreateKeyInput) *types.KeyMetadata {
	return must(s.kms.CreateKey(s.ctx, &input)).KeyMetadata
}

func (s smoke) encrypt(keyID *string, plaintext []byte, encryptionContext map[string]string) []byte {
	input := kms.EncryptInput{KeyId: keyID, Plaintext: plaintext, EncryptionContext: encryptionContext}
	return must(s.kms.Encrypt(s.ctx, &input)).CiphertextBlob
}

func (s smoke) decrypt(blob []byte, encryptionContext map[string]string) *kms.DecryptOutput {
	return must(s.kms.Decrypt(s.ctx, &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: encryptionContext}))
}

func (s smoke) describe(keyID *string) *types.KeyMetadata {
	return must(s.kms.DescribeKey(s.ctx, &kms.DescribeKeyInput{KeyId: keyID})).KeyMetadata
}

// eventually waits until a condition holds, at most ten seconds.
func eventually(what string, holds func() bool) {
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic("in vain waited until " + what)
		}
	}
}

func (s smoke) waitUntilEnabled(keyID *string) {
	eventually(aws.ToString(keyID)+" is enabled", func() bool {
		return s.describe(keyID).KeyState == types.KeyStateEnabled
	})
}
