/* The first of two filters of system calls: a list of those that are allowed, and three that are judged by
 * their arguments. The second one is made by the program when all its threads run: it takes what starting
 * needs (src/daemon/privileges/). */
#include "launcher.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* Numbers of calls that a C library knows how to do without. */
#define FIRST_NEW 424
#define LAST_CALL 600
#define MAX_FILTER 1024
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

struct filter {
  size_t length;
  struct sock_filter code[MAX_FILTER];
  int too_long;
};

static void add(struct filter *filter, int code, uint32_t operand, size_t if_true, size_t if_false)
{
  if (filter->length == MAX_FILTER || if_true > 255 || if_false > 255) filter->too_long = 1;
  else filter->code[filter->length++] =
      (struct sock_filter){ (uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, operand };
}

static void load(struct filter *filter, size_t offset) { add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }

/* The lower half of an argument: on both processors the first four bytes. */
static void load_argument(struct filter *filter, int number)
{
  load(filter, offsetof(struct seccomp_data, args) + 8 * (size_t)number);
}

static void give(struct filter *filter, uint32_t answer) { add(filter, BPF_RET | BPF_K, answer, 0, 0); }

static uint32_t refuse(int reason) { return SECCOMP_RET_ERRNO | (uint32_t)reason; }

/* A call with rules of its own begins, `size` instructions long. */
static void on_call(struct filter *filter, int call, size_t size)
{
  add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, size);
}

static void judge_arguments(struct filter *filter)
{
  static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
  on_call(filter, SYS_socket, 7);
  load_argument(filter, 0);
  for (size_t i = 0; i < 4; i++) add(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)families[i], 4 - i, 0);
  give(filter, refuse(EAFNOSUPPORT));
  give(filter, SECCOMP_RET_ALLOW);

  on_call(filter, SYS_ioctl, 5); /* nobody types for others */
  load_argument(filter, 1);
  add(filter, BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 2, 0);
  add(filter, BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 1, 0);
  give(filter, SECCOMP_RET_ALLOW);
  give(filter, refuse(EPERM));

  on_call(filter, SYS_clone, 4);
  load_argument(filter, 0);
  add(filter, BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
  give(filter, refuse(EPERM));
  give(filter, SECCOMP_RET_ALLOW);
}

/* The answer to the calls from a number on, until it changes. */
struct range {
  uint32_t first, answer;
};

/* A search by halves: the kernel remembers the answer to a call only since Linux 5.11. */
static void search(struct filter *filter, const struct range *ranges, size_t count)
{
  if (count == 1) {
    give(filter, ranges->answer);
    return;
  }
  size_t half = count / 2, at = filter->length;
  add(filter, BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 0);
  search(filter, ranges, half);
  if (filter->length - at - 1 > 255) filter->too_long = 1;
  if (!filter->too_long) filter->code[at].jt = (uint8_t)(filter->length - at - 1);
  search(filter, ranges + half, count - half);
}

static size_t list_ranges(const short *allowed, struct range *ranges)
{
  static uint32_t answers[LAST_CALL];
  size_t count = 0;
  for (size_t call = 0; call < LAST_CALL; call++) answers[call] = refuse(call < FIRST_NEW ? EPERM : ENOSYS);
  for (; *allowed >= 0; allowed++) answers[*allowed] = SECCOMP_RET_ALLOW;
  for (uint32_t call = 0; call < LAST_CALL; call++) {
    if (call == 0 || answers[call] != answers[call - 1]) ranges[count++] = (struct range){ call, answers[call] };
  }
  return count;
}

int filter_calls(const short *allowed, int by_arguments)
{
  static struct filter filter;
  static struct range ranges[LAST_CALL];
  filter.length = 0;
  load(&filter, offsetof(struct seccomp_data, arch));
  add(&filter, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  give(&filter, refuse(ENOSYS));
  load(&filter, offsetof(struct seccomp_data, nr));
  if (by_arguments) judge_arguments(&filter);
  search(&filter, ranges, list_ranges(allowed, ranges));
  if (filter.too_long) return -E2BIG;
  struct sock_fprog program = { (unsigned short)filter.length, filter.code };
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}
