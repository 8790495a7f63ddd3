import { startTestServices, type TestServices } from './aws-services';
import { DiskFleet } from './disk-fleet';

export interface DiskCloud {
  /** One for all tests of the file: its base image is made once. */
  readonly fleet: DiskFleet;
  /** Of the test that runs. */
  readonly services: TestServices;
}

/** Gives every test of a file a cloud of its own, with machines that have real disks. To be called once, at its top. */
export function diskCloud(options: Parameters<typeof startTestServices>[0] = {}): DiskCloud {
  let fleet: DiskFleet;
  let services: TestServices;
  beforeAll(async () => {
    fleet = await DiskFleet.make();
  });
  afterAll(() => fleet.remove());
  beforeEach(async () => {
    services = await startTestServices(options);
    fleet.use(services);
  });
  afterEach(() => services.close());
  return {
    get fleet() {
      return fleet;
    },
    get services() {
      return services;
    },
  };
}
