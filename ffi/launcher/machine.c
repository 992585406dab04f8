/* Machines on which Deno cannot live: it would die without a word of the reason. */
#include "launcher.h"

#include <errno.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#define GIB (1ull << 30)
/* V8 reserves addresses, not memory, at a place that chance chooses: of 60 starts 3 to 6 died with 40, 44 and
 * 48 GiB each, none with 56 and more. */
#define ADDRESS_SPACE (64 * GIB)

static int check_page_size(struct failure *failure)
{
  unsigned long size = getauxval(AT_PAGESZ);
  if (size == 0 || size == 4096) return 0;
  return fail(failure, "this kernel has memory pages of %lu KiB, and the Deno runtime works with pages of 4 KiB only. Start a"
              " kernel with 4 KiB pages; on a Raspberry Pi 5 with Raspberry Pi OS the line kernel=kernel8.img in"
              " /boot/firmware/config.txt does that, after a reboot", size / 1024);
}

static int check_address_space(struct failure *failure)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= ADDRESS_SPACE) return 0;
  return fail(failure, "the address space is limited to %llu MiB (ulimit -v, or LimitAS= of systemd), and the Deno runtime"
              " reserves tens of GiB of addresses, which is not memory. Take that limit away (ulimit -v unlimited); to"
              " limit memory use a cgroup (MemoryMax= of systemd, memory.max)", (unsigned long long)limit.rlim_cur >> 20);
}

/* Deno asks /proc for its own path, and panics without an answer. */
static int check_proc(struct failure *failure)
{
  if (access("/proc/self/exe", F_OK) == 0) return 0;
  return fail(failure, "/proc is not there, and the Deno runtime needs it: mount -t proc proc /proc");
}

/* Deno asks where it is before it does anything else. */
static int check_directory(struct failure *failure)
{
  char path[PATH_SIZE];
  if (getcwd(path, sizeof path) || errno != ENOENT) return 0;
  return fail(failure, "the current directory has been deleted: go to another one (cd /)");
}

int check_machine(struct failure *failure)
{
  return check_page_size(failure) || check_address_space(failure) || check_proc(failure) || check_directory(failure) ? -1 : 0;
}
