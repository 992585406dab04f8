/* The power of `tproxy run`, which parses bytes of strangers: all that it does not need is gone before it
 * becomes Deno. Whatever of that is missing on a machine, or not permitted, is noted for the proxy's log, and
 * the rest is done: a proxy with more power than it needs is better than none. */
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Foreign addresses and marks; clients' ports below 1024. */
#define CAPABILITIES (1u << CAP_NET_RAW | 1u << CAP_NET_BIND_SERVICE)
/* Rules, questions of first packets: where nobody does it for the proxy (netlink_server.c). */
#define WITH_ADMIN (CAPABILITIES | 1u << CAP_NET_ADMIN)
/* Whoever is told reads it there, and removes it: src/daemon/privileges/. */
#define TOLD "TPROXY_PRIVILEGES"

static char told[1024];

/* Adds `name=value;`. */
static void tell(const char *format, ...)
{
  va_list values;
  size_t length = strlen(told);
  va_start(values, format);
  vsnprintf(told + length, sizeof told - length, format, values);
  va_end(values);
  setenv(TOLD, told, 1);
}

static void tell_missing(const char *what, int result)
{
  if (result < 0) tell("missing=%s: %s;", what, strerror(-result));
}

/* Makes the place for what a proxy leaves there for others: 0, or -errno. */
static int give_run_directory(const struct user *user)
{
  if (mkdir(RUN_DIRECTORY, 0750) && errno != EEXIST) return -errno;
  int fd = open(RUN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = fd < 0 || fchown(fd, user->uid, user->gid) || fchmod(fd, 0750) ? -errno : 0;
  if (fd >= 0) close(fd);
  return result;
}

/* A folder for the control socket that is not there yet is made for who is to listen in it. */
static void give_control_folder(const char *folder, const struct user *user)
{
  struct stat found;
  if (!*folder || stat(folder, &found) == 0 || make_directories(folder, 0755)) return;
  (void)chown(folder, user->uid, user->gid);
}

/* The log is written without waiting; for that a pipe is opened once more, which its owner alone may do. */
static void give_pipe(int fd, const struct user *user)
{
  struct statfs system;
  if (fstatfs(fd, &system) == 0 && system.f_type == PIPEFS_MAGIC) (void)fchown(fd, user->uid, user->gid);
}

/* The user may have more processes than its limit allows; no limit was meant for a proxy of root's. */
static void lift_process_limit(void)
{
  const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
  (void)setrlimit(RLIMIT_NPROC, &none);
}

static const char *why_kept(const struct wishes *wishes)
{
  if (wishes->keep) return "privileges keep";
  if (geteuid() == 0 && wants_iptables(wishes->config)) return "backend iptables";
  return NULL;
}

/* Becomes the user, with all capabilities. Where that is not possible it is root who leaves files. */
static void leave_root(const struct user *user, const char *control, uint32_t capabilities)
{
  const struct user root = { 0, 0 };
  int given = give_run_directory(user);
  give_control_folder(control, user);
  for (int fd = 1; fd <= 2; fd++) give_pipe(fd, user);
  lift_process_limit();
  tell_missing("the bounding set of capabilities", bound_capabilities(capabilities));
  int result = become(user);
  tell_missing("another user", result);
  tell_missing(RUN_DIRECTORY, result ? give_run_directory(&root) : given);
}

/* Has another process change the kernel's rules. The capabilities that are left to need. */
static uint32_t leave_admin(struct ready *ready)
{
  if (!has_capability(CAP_NET_ADMIN)) return CAPABILITIES;
  int may_mark = may_mark_without_admin();
  if (may_mark == 0) tell("missing=marks without CAP_NET_ADMIN: Linux 5.17 has them;");
  if (may_mark <= 0) return WITH_ADMIN; /* -errno: "fewer capabilities" comes to the same */
  ready->netlink = start_netlink_server();
  tell_missing("a process that changes the kernel's rules", ready->netlink);
  return ready->netlink < 0 ? WITH_ADMIN : CAPABILITIES;
}

int drop_privileges(char **words, struct ready *ready, struct failure *failure)
{
  struct wishes wishes;
  struct user user = { geteuid(), getegid() };
  read_wishes(words, &wishes);
  unsetenv(TOLD);
  const char *kept = why_kept(&wishes), *notify = getenv("NOTIFY_SOCKET");
  int is_root = geteuid() == 0;
  if (is_root && !kept) {
    if (choose_user(wishes.user, &user))
      return fail(failure, "there is no user %s: make one, or name another one with --user", wishes.user);
    if (user.uid == 0) kept = "user root";
  }
  if (kept) {
    tell("kept=%s;", kept);
    return 0;
  }
  const struct served served = { wishes.config, user.uid };
  ready->files = start_file_server(&served);
  tell_missing("a process that opens files", ready->files);
  uint32_t capabilities = leave_admin(ready);
  if (control_folder(wishes.config, ready->control)) ready->control[0] = 0;
  if (is_root) leave_root(&user, ready->control, capabilities);
  else give_control_folder(ready->control, &user);
  tell_missing("fewer capabilities", limit_capabilities(capabilities));
  tell_missing("capabilities over exec", keep_over_exec(capabilities));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) tell_missing("no_new_privs", -errno);
  if (notify && *notify == '/' && access(notify, W_OK)) tell_missing("the service manager's socket", -errno);
  ready->confined = 1;
  return 0;
}

void confine(const struct ready *ready)
{
  int landlock = confine_files(ready);
  if (landlock < 0) tell_missing("Landlock", landlock);
  else tell("landlock=%d;", landlock);
  tell("files=%d;", ready->files);
  if (ready->netlink >= 0) tell("netlink=%d;", ready->netlink);
  tell_missing("seccomp", filter_calls(ALLOWED_CALLS, 1));
}
