/* The guard of a mounted image. Whoever copies a new version over the file (cp and scp write into the old
 * file) would change the code of a running proxy under its feet. The kernel refuses to write to a file that
 * is being executed ("Text file busy"); after exec the launcher is not, so a child stays behind that is. */
#include "launcher.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

void start_guard(void)
{
  pid_t parent = getpid();
  if (fork() != 0) return; /* without a guard it runs as well */

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  prctl(PR_SET_NAME, "tproxy-guard");
  setsid();
  close_range(0, ~0u, 0); /* nobody may wait for the end of our output */
  if (chdir("/")) _exit(0);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
  for (;;) pause();
}
