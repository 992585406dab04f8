/* The one who opens files. A proxy that has become somebody else must read its config again, lists and
 * passwords that root alone may read, and begin a new access log. So a child of the launcher stays who it was
 * and opens for it, over a socket, what the config names word for word: nothing else, and nothing but plain
 * files (an access log may be a pipe). It knows no other words, it has two capabilities and 16 system calls,
 * and ends with the proxy.
 *
 *   question  'r' or 'a' (read, append), the path
 *   answer    4 bytes: 0 and a descriptor, or the number of an error; EPERM: the config does not name it */
#include "launcher.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define SERVED_CAPABILITIES (1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH)
#define ACCESS_LOG_MODE 0640

static const short SERVER_CALLS[] = {
  SYS_read, SYS_openat, SYS_close, SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_fcntl, SYS_mmap, SYS_munmap, SYS_mremap,
  SYS_brk, SYS_recvmsg, SYS_sendmsg, SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
  -1,
};

static int ends_word(char sign) { return !sign || isspace((unsigned char)sign) || strchr("\"'[]{},:#", sign) != NULL; }

/* Does the config name this path, for this purpose? */
static int is_named(const char *config, const char *path, char purpose)
{
  size_t length = strlen(path);
  for (const char *at = config; (at = strstr(at, path)); at++) {
    if (at == config || !ends_word(at[-1]) || !ends_word(at[length])) continue;
    if ((purpose == 'a') == follows_key(config, at, "access")) return 1;
  }
  return 0;
}

/* Names of iptables-legacy's tables: where others filter what the proxy sends, its rules are others. */
static int is_kernels(const char *path)
{
  return !strcmp(path, "/proc/net/ip_tables_names") || !strcmp(path, "/proc/net/ip6_tables_names");
}

/* 0, or the number of the error. Whoever could write the config could name what he likes. */
static int may_open(const struct served *served, const char *path, char purpose)
{
  struct stat status;
  if (purpose != 'r' && purpose != 'a') return EINVAL;
  if (purpose == 'r' && (!strcmp(path, served->config) || is_kernels(path))) return 0;
  if (*path != '/') return EPERM;
  char *config = read_config(served->config, &status);
  if (!config) return EPERM;
  int is_theirs = status.st_uid == served->uid && served->uid != geteuid();
  int named = !is_theirs && !(status.st_mode & S_IWOTH) && is_named(config, path, purpose);
  free(config);
  return named ? 0 : EPERM;
}

/* The descriptor, or -errno. */
static int open_for(const char *path, char purpose)
{
  struct stat status;
  int appends = purpose == 'a';
  int fd = appends ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, ACCESS_LOG_MODE)
                   : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int result = fstat(fd, &status) ? -errno : S_ISREG(status.st_mode) || (appends && S_ISFIFO(status.st_mode)) ? 0 : -EACCES;
  if (!result) return fd;
  close(fd);
  return result;
}

static void serve(const void *subject)
{
  static char question[PATH_SIZE + 1];
  const struct served *served = subject;
  for (;;) {
    struct iovec data = { question, sizeof question - 1 };
    struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
    ssize_t length = recvmsg(0, &message, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return; /* the proxy has ended */
    question[length] = 0;
    const char *path = question + 1;
    int is_path = !(message.msg_flags & MSG_TRUNC) && strlen(question) == (size_t)length && *path;
    int reason = is_path ? may_open(served, path, *question) : EINVAL;
    int fd = reason ? -reason : open_for(path, *question);
    int failed = answer_with(0, fd < 0 ? -fd : 0, fd);
    if (fd >= 0) close(fd);
    if (failed) return;
  }
}

int start_file_server(const struct served *served)
{
  const struct timeval patience = { .tv_sec = 5 };
  const struct child child = { "tproxy-files", SERVED_CAPABILITIES, SERVER_CALLS, -1, serve, served };
  int socket = start_child(&child);
  if (socket >= 0) setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return socket;
}
