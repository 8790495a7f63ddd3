import { INSTALL, smallCase, UNATTENDED } from './small-case';

/** A kernel where none was: modules, an initramfs made on the machine, a boot entry with the UUID of its root. */
export const kernel = smallCase({
  name: 'kernel',
  about:
    'install a kernel: modules, an initramfs that the machine makes, a boot entry with the UUID of its root',
  // GRUB's hook of the kernel does nothing in a container; u-boot-menu writes /boot/extlinux/extlinux.conf anywhere.
  set: { name: 'kernel', packages: ['initramfs-tools', 'zstd', 'u-boot-menu'] },
  commands: [UNATTENDED, 'apt-get -qq update', `${INSTALL} linux-image-cloud-amd64`],
  hasOwnKernel: true,
  named: [],
  same: [
    // Not their sizes: an initramfs holds the times of when it was made.
    'ls /boot; readlink /vmlinuz /initrd.img',
    'cat /boot/extlinux/extlinux.conf',
    'for module in ext4 virtio_blk nvme; do modinfo -k "$(ls /lib/modules)" -F vermagic "$module"; done',
    'dpkg --verify linux-image-cloud-amd64 "linux-image-$(ls /lib/modules)"',
  ],
  distinct: ['grep -m 1 append /boot/extlinux/extlinux.conf'],
});
