import { App, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { ImageElves, Update } from '../../cdk/index';

/**
 * One deployment for two fleets: security updates for all web servers every Sunday, an agent's settings for the build
 * machines on the first of the month, and a person told by mail when a run fails.
 */
const app = new App();
const stack = new Stack(app, 'TwoFleets');

const alarmTopic = new sns.Topic(stack, 'Alarms', { enforceSSL: true });
alarmTopic.addSubscription(new EmailSubscription('operations@example.com'));

// Clones reach Systems Manager and the package repositories through the NAT gateway of this network.
const vpc = new ec2.Vpc(stack, 'CloneVpc', { maxAzs: 1 });
const [subnet] = vpc.privateSubnets;
if (subnet === undefined) throw new Error('the network has no private subnet');

new ImageElves(stack, 'ImageElves', {
  updates: {
    security: Update.packages('security', { timeout: Duration.minutes(30) }),
    openssl: Update.packages(['openssl', 'libssl3'], { description: 'Only what the advisory names' }),
    agent: Update.script(
      [
        'install -d -m 0755 /etc/agent',
        'printf "%s\\n" "interval = 60" > /etc/agent/agent.conf.new',
        'cmp -s /etc/agent/agent.conf.new /etc/agent/agent.conf && rm /etc/agent/agent.conf.new && exit 0',
        'mv /etc/agent/agent.conf.new /etc/agent/agent.conf',
      ],
      { description: 'Settings of the monitoring agent' },
    ),
    baseline: Update.compliance(
      ["rule_check ssh-root 'root cannot log in' grep -qx 'PermitRootLogin no' /etc/ssh/sshd_config"],
      { description: 'What every machine has to keep to' },
    ),
  },
  targets: { tags: { 'Patch Group': ['web-a', 'web-b'] } },
  schedules: {
    sunday: { expression: 'cron(0 3 ? * SUN *)', timeZone: 'Europe/Berlin', input: { update: 'security' } },
    monthly: {
      expression: 'cron(0 4 1 * ? *)',
      input: { update: 'agent', targets: { tags: { PatchGroup: 'build' } }, maxConcurrency: 100 },
    },
  },
  clones: { vpc, subnet },
  volumeRetention: Duration.days(14),
  toleratedFailurePercentage: 5,
  alarmTopic,
  bundlesFolder: app.node.tryGetContext('bundlesFolder') as string | undefined,
  imageFolder: app.node.tryGetContext('imageFolder') as string | undefined,
});

app.synth();
