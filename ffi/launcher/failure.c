/* Failures, in words. */
#include "launcher.h"

#include <stdarg.h>

int fail(struct failure *failure, const char *format, ...)
{
  va_list values;
  va_start(values, format);
  vsnprintf(failure->text, sizeof failure->text, format, values);
  va_end(values);
  return -1;
}
