// gossh: a bastion made with golang.org/x/crypto/ssh, on which many bastions are built. It only forwards, and refuses
// sessions. It prints each login and request on stdout, one a line: "login USER METHOD", "channel TYPE", "request
// TYPE".
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

var (
	listen     = flag.String("listen", "", "HOST:PORT")
	hostKey    = flag.String("hostkey", "", "file of a private key")
	authorized = flag.String("authorized", "", "file of public keys; read at each login")
	banner     = flag.String("banner", "", "the banner that is sent before the login")
	none       = flag.Bool("none", false, "accepts every user by the method none")
	code       = flag.String("code", "", "asks for this code by keyboard-interactive, after a public key")
	approval   = flag.Duration("approval", 0, "waits so long in a keyboard-interactive login without a prompt, as for an approval elsewhere")
	name       = flag.String("name", "", "the name and instruction of keyboard-interactive")
)

func main() {
	flag.Parse()
	config := &ssh.ServerConfig{BannerCallback: func(ssh.ConnMetadata) string { return *banner }}
	pem, err := os.ReadFile(*hostKey)
	check(err)
	signer, err := ssh.ParsePrivateKey(pem)
	check(err)
	config.AddHostKey(signer)
	config.NoClientAuth = *none
	config.AuthLogCallback = func(c ssh.ConnMetadata, method string, err error) {
		if err == nil {
			fmt.Println("login", c.User(), method)
		}
	}
	config.PublicKeyCallback = byKey
	if *approval > 0 {
		config.PublicKeyCallback = nil
		config.KeyboardInteractiveCallback = byApproval
	}
	l, err := net.Listen("tcp", *listen)
	check(err)
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		check(err)
		go serve(c, config)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func byKey(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	rest, err := os.ReadFile(*authorized)
	for err == nil && len(rest) > 0 {
		var known ssh.PublicKey
		if known, _, _, rest, err = ssh.ParseAuthorizedKey(rest); err == nil && bytes.Equal(known.Marshal(), key.Marshal()) {
			if *code == "" {
				return nil, nil
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: byCode}}
		}
	}
	return nil, errors.New("unknown key")
}

func byCode(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	answers, err := ask(*name, *name, []string{"Code: "}, []bool{false})
	if err == nil && (len(answers) != 1 || answers[0] != *code) {
		err = errors.New("wrong code")
	}
	return nil, err
}

func byApproval(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	_, err := ask("", "Approve at https://id.example.com/device", nil, nil)
	time.Sleep(*approval)
	return nil, err
}

func serve(c net.Conn, config *ssh.ServerConfig) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		fmt.Println("refused", err)
		return
	}
	go func() {
		for r := range requests {
			fmt.Println("request", r.Type)
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	}()
	for n := range channels {
		fmt.Println("channel", n.ChannelType())
		if n.ChannelType() != "direct-tcpip" {
			_ = n.Reject(ssh.UnknownChannelType, "nothing but forwards")
			continue
		}
		go forward(n)
	}
	_ = conn.Wait()
	fmt.Println("gone", conn.User())
}

func forward(n ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(n.ExtraData(), &to); err != nil {
		_ = n.Reject(ssh.ConnectionFailed, "no address")
		return
	}
	server, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer server.Close()
	c, requests, err := n.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		_, _ = io.Copy(server, c)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, server)
	_ = c.Close()
}
