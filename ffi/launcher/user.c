/* The user that a proxy becomes. Nothing but /etc/passwd is asked: a static program has no name services. */
#include "launcher.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define USUAL "tproxy"
/* Of no user, and in the range of systemd's dynamic ones. Not nobody: whoever else is that could end the
 * proxy, and ask it by its control socket. */
#define OWN 65080
#define NOBODY 65534

/* Looks for a user by name, or by number where there is no name. */
static const struct passwd *find(const char *name, uid_t uid)
{
  FILE *file = fopen("/etc/passwd", "re");
  const struct passwd *entry = NULL;
  while (file && (entry = fgetpwent(file)) && (name ? strcmp(entry->pw_name, name) != 0 : entry->pw_uid != uid)) continue;
  if (file) fclose(file);
  return entry;
}

int choose_user(const char *wish, struct user *user)
{
  const struct passwd *entry = find(wish ? wish : USUAL, 0);
  char *end = NULL;
  unsigned long number = wish && *wish >= '0' && *wish <= '9' ? strtoul(wish, &end, 10) : OWN;
  if (!entry) {
    if (wish && (!end || *end || number > UINT32_MAX - 1)) return -1;
    entry = find(NULL, (uid_t)number);
    if (entry && !wish) { /* somebody's after all */
      entry = NULL;
      number = NOBODY;
    }
  }
  user->uid = entry ? entry->pw_uid : (uid_t)number;
  user->gid = entry ? entry->pw_gid : (gid_t)number;
  return 0;
}
