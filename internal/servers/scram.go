package servers

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// scramVerifier is what PostgreSQL stores of a password (RFC 5803). It hashes once, and not 4096 times: nobody guesses a
// random password, and each connection of a client would take 3 ms of processor time more.
func scramVerifier(password string) (string, error) {
	const iterations = 1
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // it never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	key := func(name string) []byte {
		mac := hmac.New(sha256.New, salted)
		_, _ = mac.Write([]byte(name)) // a hash never fails
		return mac.Sum(nil)
	}
	stored, encode := sha256.Sum256(key("Client Key")), base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(key("Server Key"))), nil
}
