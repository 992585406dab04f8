/* What `tproxy run` is asked to be: its options, as far as they matter before Deno is there to read them, and
 * the one key of its config that does. */
#include "launcher.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/tproxy/tproxy.yaml"

/* The value of an option, `--name value` or `--name=value`; NULL: it is another word. */
static const char *value_of(const char *name, char **word)
{
  size_t length = strlen(name);
  if (strncmp(*word, name, length) != 0) return NULL;
  if ((*word)[length] == '=' && length > 2) return *word + length + 1;
  return (*word)[length] ? NULL : word[1];
}

void read_wishes(char **words, struct wishes *wishes)
{
  *wishes = (struct wishes){ .config = DEFAULT_CONFIG, .user = NULL, .keep = 0 };
  for (; *words; words++) {
    const char *value;
    if ((value = value_of("--config", words)) || (value = value_of("-c", words))) wishes->config = value;
    else if ((value = value_of("--user", words))) wishes->user = value;
    else if ((value = value_of("--privileges", words))) wishes->keep = !strcmp(value, "keep");
  }
}

char *read_config(const char *path, struct stat *status)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  size_t size = 0;
  char *text = NULL;
  if (fd < 0) return NULL;
  if (fstat(fd, status) == 0 && S_ISREG(status->st_mode) && status->st_size <= MAX_CONFIG)
    text = malloc((size_t)status->st_size + 1);
  while (text && size < (size_t)status->st_size) {
    ssize_t n = read(fd, text + size, (size_t)status->st_size - size);
    if (n <= 0) break;
    size += (size_t)n;
  }
  if (text) text[size] = 0;
  close(fd);
  return text;
}

int follows_key(const char *text, const char *at, const char *key)
{
  size_t length = strlen(key);
  while (at > text && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '"' || at[-1] == '\'')) at--;
  if (at == text || *--at != ':') return 0;
  while (at > text && (at[-1] == ' ' || at[-1] == '"' || at[-1] == '\'')) at--;
  if (at - text < (ssize_t)length || memcmp(at - length, key, length) != 0) return 0;
  at -= length;
  return at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '-' || at[-1] == '_');
}

static int in_comment(const char *text, const char *at)
{
  for (; at > text && at[-1] != '\n'; at--) {
    if (*at == '#' && isspace((unsigned char)at[-1])) return 1;
  }
  return *at == '#';
}

int control_folder(const char *config, char folder[PATH_SIZE])
{
  struct stat status;
  char *text = read_config(config, &status);
  const char *at = text ? strchr(text, '/') : NULL;
  while (at && !(follows_key(text, at, "control") && !in_comment(text, at))) at = strchr(at + 1, '/');
  size_t length = at ? strcspn(at, "\"' \t\r\n,}#") : PATH_SIZE;
  while (length < PATH_SIZE && length && at[length - 1] != '/') length--;
  int found = length > 1 && length < PATH_SIZE;
  if (found) snprintf(folder, PATH_SIZE, "%.*s", (int)length - 1, at);
  free(text);
  return found ? 0 : -1;
}

int wants_iptables(const char *config)
{
  struct stat status;
  char *text = read_config(config, &status);
  int found = 0;
  for (const char *at = text; at && !found && (at = strstr(at, "iptables")); at++)
    found = follows_key(text, at, "backend") && !in_comment(text, at);
  free(text);
  return found;
}
