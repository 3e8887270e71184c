/**
 * Names that everybody has, and that therefore tell nothing of anybody: accounts of systems and images, hosts of
 * documentation, of containers and of public forges.
 */
const ACCOUNTS = new Set(
  `root admin administrator ubuntu debian centos fedora rocky almalinux ec2-user opc azureuser core pi vagrant docker
  user users username youruser your-user your_user yourname your-name name myuser newuser testuser someuser nobody
  nogroup daemon bin sys sync games man lp mail news uucp proxy backup list irc www-data apache nginx httpd tomcat
  postgres mysql mariadb mongodb redis oracle elasticsearch rabbitmq kafka zookeeper grafana prometheus jenkins runner
  git gitlab-runner svn hudson circleci travis build builder ci deploy deployer ansible puppet chef node app appuser
  application web webapp service svc svc-account test guest demo dev default public shared all linuxbrew homebrew
  jovyan coder codespace gitpod vscode sandbox agent claude me you foo bar example systemd-network systemd-resolve
  messagebus sshd ftp anonymous operator support sysadmin x-access-token oauth2 x-token-auth lost+found node_modules dashboard
  index page pages profile settings about`.split(/\s+/),
);

const SERVICE_WORDS = new Set(
  `localhost host hostname your-host yourhost my-host myhost server your-server myserver server1 server2 host1 host2
  node1 node2 domain example test foo bar baz redis db database postgres postgresql mysql mariadb mongo mongodb memcached
  rabbitmq rabbit kafka zookeeper elasticsearch opensearch minio vault consul etcd nginx proxy gateway backend frontend
  api app web www server client worker service auth nats mq cache queue broker registry jenkins gitlab grafana
  prometheus loki ollama vllm llm model target upstream origin remote address ip url uri bucket cluster0 ip6-localhost
  hub index root base`.split(/\s+/),
);

/** Public forges, and those whose name ends an algorithm's: `aes256-gcm@openssh.com`. */
const FORGE =
  /^(?:(?:.*\.)?(?:github\.com|gitlab\.com|bitbucket\.org|ssh\.dev\.azure\.com|codeberg\.org|sr\.ht)|openssh\.com|libssh\.org)$/;
/** Their last labels are the reserved ones of RFC 2606 and RFC 6761, or they name the same thing everywhere. */
const EVERYBODYS_HOST =
  /^(?:(?:.*\.)?(?:example\.(?:com|org|net|edu)|[^.]*\.?(?:example|test|invalid|localhost))|localhost\.localdomain|(?:gateway|kubernetes|host)\.docker\.internal|metadata\.google\.internal|(?:.*\.)?default\.svc\.cluster\.local|svc\.cluster\.local|cluster\.local)$/;

/** The top levels that are private networks' own, as a pattern. */
export const PRIVATE_TOP_LEVEL = String.raw`\.(?:internal|local|lan|corp|intra|intranet|localdomain|home\.arpa)`;
const PRIVATE_NAME = new RegExp(`[^.]${PRIVATE_TOP_LEVEL}$`, "i");

const VARIABLE = /[$%{}<>*]|^[A-Z][A-Z0-9_]*$/;

/** An account that says nothing of a person: a system's own, or a variable in its place. */
export function isCommonAccount(name: string): boolean {
  return name.length < 2 || /^[\d.]+$/.test(name) || VARIABLE.test(name) || ACCOUNTS.has(name.toLowerCase());
}

/** A host that says nothing of a network: loopback, documentation, a container's service, a public forge. */
export function isCommonHost(name: string): boolean {
  const low = name.toLowerCase();
  return VARIABLE.test(name) || SERVICE_WORDS.has(low) || EVERYBODYS_HOST.test(low) || FORGE.test(low);
}

/** A mailbox of documentation, a forge's own account or part of an algorithm's name. */
export function isCommonMailbox(name: string, host: string): boolean {
  const low = host.toLowerCase();
  return (
    EVERYBODYS_HOST.test(low) ||
    /^(?:openssh\.com|libssh\.org)$/.test(low) ||
    /^(?:git|no-?reply|do-?not-?reply)$/i.test(name)
  );
}

/** A name below a private network's own top level. */
export function isPrivateName(name: string): boolean {
  return PRIVATE_NAME.test(name);
}
