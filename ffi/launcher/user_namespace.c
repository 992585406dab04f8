/* `tproxy selftest` without root. Deno has many threads, and only a process with one thread may enter a user
 * namespace; so the launcher does it. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int has_capabilities(void)
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  struct __user_cap_data_struct sets[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
  const uint32_t wanted = 1u << CAP_NET_ADMIN | 1u << CAP_SYS_ADMIN;
  if (syscall(SYS_capget, &header, sets)) return 0;
  return (sets[0].effective & wanted) == wanted;
}

static int write_text(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
  close(fd);
  return result;
}

/* Some kernels (AppArmor on Ubuntu) let anyone in and refuse every privilege inside: so use one, on the new
 * lo. */
static int try_privilege(void)
{
  struct ifreq request;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  int result = ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
  close(fd);
  return result;
}

int enter_user_namespace(void)
{
  char uid_map[32], gid_map[32];
  int result;

  if (has_capabilities()) return 0;
  snprintf(uid_map, sizeof uid_map, "0 %u 1\n", geteuid());
  snprintf(gid_map, sizeof gid_map, "0 %u 1\n", getegid());
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) return -errno;
  /* Without setgroups the kernel lets an ordinary user map a group. */
  if ((result = write_text("/proc/self/setgroups", "deny")) < 0) return result;
  if ((result = write_text("/proc/self/uid_map", uid_map)) < 0) return result;
  if ((result = write_text("/proc/self/gid_map", gid_map)) < 0) return result;
  if ((result = try_privilege()) < 0) return result;
  return 1;
}
