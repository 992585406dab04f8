/* Landlock: where a proxy may write, what it may start, whom it may reach by other ways than the network. It
 * reads as its user may. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of Linux 6.12; headers that are older know less. */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define QUERY_VERSION 1u
#define PATH_BENEATH 1

enum {
  EXECUTE = 1 << 0, WRITE_FILE = 1 << 1, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5, MAKE_CHAR = 1 << 6, MAKE_DIR = 1 << 7,
  MAKE_REG = 1 << 8, MAKE_SOCK = 1 << 9, MAKE_FIFO = 1 << 10, MAKE_BLOCK = 1 << 11, MAKE_SYM = 1 << 12,
  REFER = 1 << 13,     /* version 2 */
  TRUNCATE = 1 << 14,  /* version 3 */
  IOCTL_DEV = 1 << 15, /* version 5 */
};
#define FIRST_RIGHTS (EXECUTE | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR | MAKE_DIR | MAKE_REG | MAKE_SOCK | \
                      MAKE_FIFO | MAKE_BLOCK | MAKE_SYM)
enum { ABSTRACT_SOCKETS = 1 << 0, SIGNALS = 1 << 1 }; /* version 6 */

struct handled {
  uint64_t files, network, scoped;
};
struct beneath {
  uint64_t rights;
  int32_t parent;
} __attribute__((packed));

static uint64_t rights_of(long version)
{
  return (uint64_t)FIRST_RIGHTS | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0) |
         (version >= 5 ? IOCTL_DEV : 0);
}

static void allow(int rules, int fd, uint64_t rights)
{
  struct beneath rule = { rights, fd };
  if (fd >= 0 && rights) (void)syscall(ADD_RULE, rules, PATH_BENEATH, &rule, 0);
}

static void allow_path(int rules, const char *path, uint64_t rights)
{
  int fd = open(path, O_PATH | O_CLOEXEC);
  allow(rules, fd, rights);
  if (fd >= 0) close(fd);
}

int confine_files(const struct ready *ready)
{
  long version = syscall(CREATE_RULESET, NULL, 0, QUERY_VERSION);
  if (version < 0) return -errno;
  const char *notify = getenv("NOTIFY_SOCKET");
  uint64_t all = rights_of(version);
  /* A service manager may listen on an abstract name. */
  uint64_t scoped = version < 6 ? 0 : SIGNALS | (notify && *notify == '@' ? 0 : ABSTRACT_SOCKETS);
  struct handled attributes = { all, 0, scoped };
  int rules = (int)syscall(CREATE_RULESET, &attributes, (size_t)(version < 4 ? 8 : version < 6 ? 16 : 24), 0);
  if (rules < 0) return -errno;
  allow(rules, ready->runtime, EXECUTE);
  allow(rules, ready->compiled, all & (WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE | MAKE_DIR | REMOVE_DIR));
  allow_path(rules, RUN_DIRECTORY, all & (WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE | MAKE_SOCK));
  if (ready->control[0]) allow_path(rules, ready->control, all & (MAKE_SOCK | REMOVE_FILE));
  /* Sysctls, as CAP_NET_ADMIN may. */
  if (ready->netlink < 0) allow_path(rules, "/proc", all & (WRITE_FILE | TRUNCATE));
  allow_path(rules, "/dev/null", all & (WRITE_FILE | TRUNCATE));
  int result = syscall(RESTRICT_SELF, rules, 0) ? -errno : (int)version;
  close(rules);
  return result;
}
