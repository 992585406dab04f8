/* Children of the launcher: each keeps a part of the power that the proxy gives up, and does one thing for
 * it, over a socket. They do the guard's work too (guard.c), for they are the same program. */
#include "launcher.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* It must see nothing of its parent's, and nobody may wait for the end of our output. */
static void be_alone(int socket, int kept)
{
  dup2(socket, 0);
  if (kept >= 0) dup2(kept, 1);
  close_range(kept < 0 ? 1u : 2u, ~0u, 0);
  setsid();
  for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
}

int start_child(const struct child *child)
{
  int ends[2];
  pid_t parent = getpid();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends)) return -errno;
  pid_t started = fork();
  if (started == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    prctl(PR_SET_NAME, child->name);
    be_alone(ends[1], child->kept);
    (void)bound_capabilities(child->capabilities);
    (void)limit_capabilities(child->capabilities);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) (void)filter_calls(child->calls, 0);
    child->serve(child->subject);
    _exit(0);
  }
  int reason = errno;
  close(ends[1]);
  if (started > 0) return ends[0];
  close(ends[0]);
  return -reason;
}

int answer_with(int socket, int32_t number, int fd)
{
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = { .room = { 0 } };
  struct iovec data = { &number, sizeof number };
  struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
  if (fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}
