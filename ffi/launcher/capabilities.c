/* Capabilities: those of a proxy stay over the change of the user and over exec, all others are gone for
 * good. */
#include "launcher.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE are all below 32. */
static int get_sets(struct __user_cap_data_struct sets[2])
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  return syscall(SYS_capget, &header, sets) ? -errno : 0;
}

static int set_sets(const struct __user_cap_data_struct sets[2])
{
  struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
  return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int has_capability(int capability)
{
  struct __user_cap_data_struct sets[2];
  return get_sets(sets) == 0 && (sets[0].permitted & 1u << capability) != 0;
}

int may_mark_without_admin(void)
{
  const int mark = 1;
  struct __user_cap_data_struct before[2], without[2];
  int result = get_sets(before);
  if (result) return result;
  without[0] = before[0];
  without[1] = before[1];
  without[0].effective &= ~(1u << CAP_NET_ADMIN);
  if ((result = set_sets(without))) return result;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int marked = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
  if (fd >= 0) close(fd);
  result = set_sets(before);
  return result ? result : marked;
}

int bound_capabilities(uint32_t wanted)
{
  int result = 0;
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (capability < 32 && wanted & 1u << capability) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)) result = -errno;
  }
  return result;
}

int limit_capabilities(uint32_t wanted)
{
  struct __user_cap_data_struct sets[2];
  int result = get_sets(sets);
  if (result) return result;
  wanted &= sets[0].permitted;
  sets[0] = (struct __user_cap_data_struct){ wanted, wanted, wanted };
  sets[1] = (struct __user_cap_data_struct){ 0, 0, 0 };
  return set_sets(sets);
}

int keep_over_exec(uint32_t wanted)
{
  struct __user_cap_data_struct sets[2];
  int result = get_sets(sets);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int capability = 0; capability < 32 && !result; capability++) {
    if (!(wanted & sets[0].permitted & 1u << capability)) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)) result = -errno;
  }
  return result;
}

int become(const struct user *user)
{
  if (setgroups(0, NULL)) return -errno;
  if (setresgid(user->gid, user->gid, user->gid)) return -errno;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)) return -errno;
  int result = setresuid(user->uid, user->uid, user->uid) ? -errno : 0;
  prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return result;
}
